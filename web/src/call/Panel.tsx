// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { closeIcon } from '../ui/icons-media';

interface Props {
  title: string;
  testid: string;
  onClose(): void;
  children: ComponentChildren;
}

/** A side panel: beside the pictures on wide screens, over them on narrow ones. Takes the focus; Escape closes. */
export function Panel({ title, testid, onClose, children }: Props) {
  const ref = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => ref.current?.focus(), []);
  return (
    <aside
      class="panel"
      aria-labelledby={id}
      data-testid={testid}
      onKeyDown={(e) => {
        if (e.key === 'Escape') onClose();
      }}
    >
      <div class="panel-top">
        <h2 id={id} ref={ref} tabIndex={-1}>
          {title}
        </h2>
        <button
          type="button"
          class="quiet-button"
          aria-label={t('call.close')}
          data-testid={`${testid}-close`}
          onClick={onClose}
        >
          <Icon of={closeIcon} />
        </button>
      </div>
      {children}
    </aside>
  );
}
