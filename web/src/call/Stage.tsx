// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useLayoutEffect, useRef } from 'preact/hooks';
import { type Arrangement, columns } from '../core/call/layout';
import { pauseReason } from '../core/call/paused';
import type { CallSnapshot } from '../core/call/types';
import { t } from '../i18n';
import { ScreenTile, Tile } from './Tile';

const gap = 8;

interface Props {
  snapshot: CallSnapshot;
  arrangement: Arrangement;
  selfView: boolean;
}

/** One list of tiles for every arrangement, so that no video element is made anew when people come and go. */
export function Stage({ snapshot, arrangement, selfView }: Props) {
  const ref = useRef<HTMLUListElement>(null);
  const { local, remotes } = snapshot;
  const why = pauseReason(snapshot);
  const showSelf = selfView || arrangement === 'alone';
  const shown = remotes.length + (showSelf ? 1 : 0);
  useTileSize(ref, arrangement, shown);
  return (
    <>
      {arrangement === 'alone' && (
        <div class="alone" data-testid="alone">
          <p class="lead">{t('call.alone')}</p>
          <p>{t('call.alone.t')}</p>
        </div>
      )}
      <ul ref={ref} class="tiles" data-arrangement={arrangement} data-testid="tiles" aria-label={t('call.stage')}>
        {remotes.map(
          (m) => m.screen && <ScreenTile key={`screen ${m.identity}`} member={m} picture={m.screen} why={why} />,
        )}
        {remotes.map((m) => (
          <Tile key={m.identity} member={m} why={why} />
        ))}
        {showSelf && <Tile key=" self" member={local} why={why} />}
      </ul>
      {snapshot.sharing && (
        <p class="sharing" data-testid="sharing">
          {t('call.yourScreen')}
        </p>
      )}
    </>
  );
}

/** Equal tiles as large as the box allows. Sizes go through CSSOM: the page's policy allows no style attributes. */
function useTileSize(ref: { current: HTMLUListElement | null }, arrangement: Arrangement, n: number): void {
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el || arrangement !== 'grid') return;
    const measure = () => {
      const { clientWidth: w, clientHeight: h } = el;
      const cols = columns(n, w, h, gap);
      const rows = Math.ceil(n / cols);
      el.style.setProperty('--tile-w', `${Math.floor((w - gap * (cols - 1)) / cols)}px`);
      el.style.setProperty('--tile-h', `${Math.floor((h - gap * (rows - 1)) / rows)}px`);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, [ref, arrangement, n]);
}
