// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import type { CallSession } from '../core/call/types';
import { t } from '../i18n';
import { Dialog } from '../ui/Dialog';
import type { HostTools } from './Call';
import { refused } from './refused';

interface Props {
  session: CallSession;
  host: HostTools;
  onClose(): void;
}

/** A host chooses between leaving and ending. The focus starts on the harmless button. */
export function LeaveDialog({ session, host, onClose }: Props) {
  const [failed, setFailed] = useState('');
  const end = async () => {
    try {
      await host.end();
      await session.leave();
    } catch (e) {
      setFailed(refused(e));
    }
  };
  return (
    <Dialog title={t('host.leave.q')} testid="leave-dialog" onClose={onClose}>
      <p>{t('host.leave.t')}</p>
      {failed && (
        <p class="field-error" role="alert">
          {failed}
        </p>
      )}
      <div class="actions">
        <button type="button" class="button" data-testid="cancel" onClick={onClose}>
          {t('host.cancel')}
        </button>
        <button type="button" class="button" data-testid="leave-self" onClick={() => void session.leave()}>
          {t('host.leave.self')}
        </button>
        <button type="button" class="button danger" data-testid="end-for-all" onClick={() => void end()}>
          {t('host.end')}
        </button>
      </div>
    </Dialog>
  );
}
