// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Kind } from '../core/media/capture';
import { t } from '../i18n';

/** Instead of an empty list of devices: what has to happen first. */
export function HiddenDevices({ kind }: { kind: Kind }) {
  return (
    <div class="field" data-testid={`hidden-${kind}`}>
      <span class="label-text">{t(`check.${kind}`)}</span>
      <p class="hint">{t(`check.hidden.${kind}`)}</p>
    </div>
  );
}
