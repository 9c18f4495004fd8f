// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { Icon } from '../ui/Icon';
import type { Shape } from '../ui/icons';

interface Props {
  id: string;
  icon: Shape;
  /** Visible label, states included ("Mikro aus"). */
  text: string;
  /** What else the name says ("einschalten"). */
  hint: string;
  off?: boolean;
  active?: boolean;
  danger?: boolean;
  badge?: number;
  expanded?: boolean;
  run(): void;
}

/** State stands in the label, never in colour alone. */
export function CallButton(p: Props) {
  const look = p.danger ? 'danger' : p.off ? 'off' : p.active || p.expanded ? 'active' : 'plain';
  return (
    <button
      type="button"
      class="call-button"
      data-look={look}
      data-testid={p.id}
      data-on={p.off === undefined ? undefined : !p.off}
      aria-label={p.hint ? `${p.text}, ${p.hint}` : p.text}
      aria-expanded={p.expanded}
      onClick={p.run}
    >
      <span class="disc">
        <Icon of={p.icon} />
        {!!p.badge && <span class="count" data-count={p.badge} data-testid={`${p.id}-badge`} />}
      </span>
      <span class="label">{p.text}</span>
    </button>
  );
}
