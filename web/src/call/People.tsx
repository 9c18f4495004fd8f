// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import type { CallSession, Member } from '../core/call/types';
import { t } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { Icon } from '../ui/Icon';
import { closeIcon, doorIcon, micOffIcon } from '../ui/icons-media';
import type { HostTools } from './Call';
import { AloneTick } from './Manners';
import { named } from './named';
import { Panel } from './Panel';
import { refused } from './refused';
import { WaitingList } from './WaitingList';

interface Props {
  session: CallSession;
  host: HostTools | null;
  onClose(): void;
}

export function People({ session, host, onClose }: Props) {
  const snapshot = session.snapshot.value;
  const [removing, setRemoving] = useState<Member | null>(null);
  const [failed, setFailed] = useState('');
  const attempt = (p: Promise<unknown>) => {
    setFailed('');
    p.catch((e) => setFailed(refused(e)));
  };
  return (
    <Panel title={t('call.people')} testid="people-panel" onClose={onClose}>
      <div class="people">
        {failed && (
          <p class="field-error" role="alert" data-testid="host-failed">
            {failed}
          </p>
        )}
        {host && host.waiting.value.length > 0 && (
          <WaitingList waiting={host.waiting.value} door={host.door.value} attempt={attempt} />
        )}
        {host && host.elsewhere.value > 0 && (
          <p class="note" data-testid="waiting-elsewhere">
            {t('door.elsewhere', { n: host.elsewhere.value })}
          </p>
        )}
        <ul class="members">
          <Person member={snapshot.local} />
          {snapshot.remotes.map((m) => (
            <Person key={m.identity} member={m}>
              {host && (
                <>
                  {m.microphone === 'on' && (
                    <button
                      type="button"
                      class="quiet-button"
                      data-testid="mute-person"
                      aria-label={t('host.mute.who', { name: named(m.name) })}
                      title={t('host.mute')}
                      onClick={() => attempt(host.mute(m.identity))}
                    >
                      <Icon of={micOffIcon} size={20} />
                    </button>
                  )}
                  <button
                    type="button"
                    class="quiet-button"
                    data-testid="back-person"
                    aria-label={t('host.back.who', { name: named(m.name) })}
                    title={t('host.back')}
                    onClick={() => attempt(host.back(m.identity))}
                  >
                    <Icon of={doorIcon} size={20} />
                  </button>
                  <button
                    type="button"
                    class="quiet-button"
                    data-testid="remove-person"
                    aria-label={t('host.remove.who', { name: named(m.name) })}
                    title={t('host.remove')}
                    onClick={() => setRemoving(m)}
                  >
                    <Icon of={closeIcon} size={20} />
                  </button>
                </>
              )}
            </Person>
          ))}
        </ul>
        <AloneTick session={session} />
        {host && (
          <div class="lock-room">
            <label class="tick">
              <input
                type="checkbox"
                data-testid="lock-room"
                checked={host.locked.value}
                onChange={(e) => attempt(host.lock(e.currentTarget.checked))}
              />
              {t('door.lock')}
            </label>
            <p class="hint">{t('door.lock.t')}</p>
          </div>
        )}
      </div>
      {host && removing && (
        <Dialog
          title={t('host.remove.q', { name: named(removing.name) })}
          testid="remove-dialog"
          onClose={() => setRemoving(null)}
        >
          <p>{t('host.remove.t')}</p>
          <div class="actions">
            <button type="button" class="button" data-testid="cancel" onClick={() => setRemoving(null)}>
              {t('host.cancel')}
            </button>
            <button
              type="button"
              class="button danger"
              data-testid="confirm-remove"
              onClick={() => {
                attempt(host.remove(removing.identity));
                setRemoving(null);
              }}
            >
              {t('host.remove')}
            </button>
          </div>
        </Dialog>
      )}
    </Panel>
  );
}

function Person({ member, children }: { member: Member; children?: preact.ComponentChildren }) {
  const state = member.microphone === 'on' ? '' : t(member.microphone === 'muted' ? 'call.muted' : 'call.nomic');
  const camera = member.camera ? '' : t('call.nocam');
  const place = member.alone === null ? '' : t(member.alone ? 'manners.alone' : 'manners.notAlone');
  return (
    <li class="person" data-testid="person" data-identity={member.identity}>
      <span class="person-name">
        {named(member.name)}
        {member.local && ` (${t('call.you')})`}
        <small>{[state, camera, place].filter(Boolean).join(' · ')}</small>
      </span>
      {children}
    </li>
  );
}
