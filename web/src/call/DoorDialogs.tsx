// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useId, useRef } from 'preact/hooks';
import type { Colleague } from '../core/api/types';
import { t } from '../i18n';
import { Dialog } from '../ui/Dialog';

const quick = ['door.quick.1', 'door.quick.2', 'door.quick.3'] as const;
const longest = 500;

interface MessageProps {
  name: string;
  send(text: string): void;
  onClose(): void;
}

/** A line to one waiting person: a prepared one with one tap, or one's own. */
export function MessageDialog({ name, send, onClose }: MessageProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const own = (e: Event) => {
    e.preventDefault();
    const text = field.current?.value.trim();
    if (text) send(text);
    else field.current?.focus();
  };
  return (
    <Dialog title={t('door.message.who', { name })} testid="message-dialog" onClose={onClose}>
      <p class="quiet">{t('door.message.t')}</p>
      <div class="actions">
        {quick.map((q) => (
          <button type="button" class="button small" key={q} data-testid="quick-message" onClick={() => send(t(q))}>
            {t(q)}
          </button>
        ))}
      </div>
      <form class="field" onSubmit={own}>
        <label for={id}>{t('door.message.field')}</label>
        <textarea ref={field} id={id} rows={2} maxLength={longest} data-testid="message-text" />
        <div class="pair">
          <button type="submit" class="button primary small" data-testid="message-send">
            {t('door.message.send')}
          </button>
          <button type="button" class="button small" data-testid="cancel" onClick={onClose}>
            {t('host.cancel')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface HandProps {
  name: string;
  colleagues: readonly Colleague[];
  hand(host: string): void;
  onClose(): void;
}

/** Offers a waiting guest a colleague who is there. */
export function HandDialog({ name, colleagues, hand, onClose }: HandProps) {
  return (
    <Dialog title={t('door.hand.who', { name })} testid="hand-dialog" onClose={onClose}>
      <p class="quiet">{t('door.hand.t', { name })}</p>
      <div class="actions">
        {colleagues.map((c) => (
          <button
            type="button"
            class="button colleague"
            key={c.id}
            data-testid="colleague"
            data-host={c.id}
            aria-disabled={!c.present}
            onClick={() => c.present && hand(c.id)}
          >
            <span>{c.name}</span>
            <small>{t(c.present ? 'door.here' : 'door.away')}</small>
          </button>
        ))}
        <button type="button" class="link" data-testid="cancel" onClick={onClose}>
          {t('host.cancel')}
        </button>
      </div>
    </Dialog>
  );
}
