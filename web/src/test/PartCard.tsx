// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import type { Part, PartState } from '../core/check/verdict';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { alertIcon } from '../ui/icons';
import { checkIcon } from '../ui/icons-media';

interface Props {
  part: Part;
  state: PartState;
  children: ComponentChildren;
}

/** One of the four tests. The state stands in words beside its sign. */
export function PartCard({ part, state, children }: Props) {
  return (
    <section class="card part" data-testid={`part-${part}`} data-state={state}>
      <div class="part-top">
        <h2>{t(`test.${part}`)}</h2>
        {state !== 'open' && (
          <span class={`chip ${state}`}>
            <Icon of={state === 'good' ? checkIcon : alertIcon} size={16} />
            {t(`test.state.${state}`)}
          </span>
        )}
      </div>
      {children}
    </section>
  );
}
