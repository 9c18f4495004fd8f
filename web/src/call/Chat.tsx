// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { longest } from '../core/call/chat';
import type { CallSession } from '../core/call/types';
import { t, time } from '../i18n';
import { Icon } from '../ui/Icon';
import { sendIcon } from '../ui/icons-media';
import { Panel } from './Panel';

export function Chat({ session, onClose }: { session: CallSession; onClose(): void }) {
  const lines = session.snapshot.value.chat;
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [lines.length]);
  return (
    <Panel title={t('call.chat')} testid="chat-panel" onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <div ref={log} class="log" role="log" aria-label={t('call.chat.log')} tabIndex={0} data-testid="chat-log">
        {lines.length === 0 && <p class="quiet">{t('call.chat.none')}</p>}
        {lines.map((l) => (
          <div key={l.id} class={l.from ? 'line' : 'line own'} data-testid="chat-line">
            <p class="who">
              {l.from || t('call.you')} · {time(l.at)}
            </p>
            <p class="said">{l.text}</p>
          </div>
        ))}
      </div>
      <Write session={session} />
    </Panel>
  );
}

function Write({ session }: { session: CallSession }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [failed, setFailed] = useState(false);
  const id = useId();
  const send = async () => {
    const el = field.current;
    if (!el?.value.trim()) return;
    const text = el.value;
    el.value = '';
    try {
      await session.say(text);
      setFailed(false);
    } catch {
      // Nothing typed is lost.
      el.value = text;
      setFailed(true);
    }
    el.focus();
  };
  return (
    <form
      class="write"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <label for={id}>{t('call.chat.field')}</label>
      {failed && (
        <p class="field-error" role="alert">
          {t('call.chat.failed')}
        </p>
      )}
      <div class="write-row">
        <textarea
          ref={field}
          id={id}
          rows={2}
          maxLength={longest}
          data-testid="chat-input"
          aria-describedby={`${id}h`}
          onKeyDown={(e) => {
            if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
            e.preventDefault();
            void send();
          }}
        />
        <button type="submit" class="round accent" aria-label={t('call.chat.send')} data-testid="chat-send">
          <Icon of={sendIcon} />
        </button>
      </div>
      <p class="vh" id={`${id}h`}>
        {t('call.chat.hint')}
      </p>
    </form>
  );
}
