// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { Signal } from '@preact/signals';
import { useEffect, useId, useState } from 'preact/hooks';
import type { CallSession, DeviceKind } from '../core/call/types';
import {
  canChooseSpeaker,
  type Device,
  hiddenKinds,
  type Kind,
  type Devices as Lists,
  sortDevices,
} from '../core/media/capture';
import { type Key, t } from '../i18n';
import { Dialog } from '../ui/Dialog';
import { HiddenDevices } from '../ui/HiddenDevices';
import { Saver } from './Saver';

const names: Readonly<Record<DeviceKind, Key & `check.${DeviceKind}`>> = {
  microphone: 'check.microphone',
  camera: 'check.camera',
  speaker: 'check.speaker',
};

interface Props {
  session: CallSession;
  selfView: Signal<boolean>;
  /** Shows the connection instead. */
  connection(): void;
  onClose(): void;
}

export function Devices({ session, selfView, connection, onClose }: Props) {
  const { lists, hidden } = useDevices();
  const { active } = session.snapshot.value;
  const kinds: DeviceKind[] = canChooseSpeaker() ? ['microphone', 'camera', 'speaker'] : ['microphone', 'camera'];
  return (
    <Dialog title={t('call.devices')} testid="devices-dialog" onClose={onClose}>
      {kinds.map((k) =>
        k !== 'speaker' && hidden.includes(k) ? (
          <HiddenDevices key={k} kind={k} />
        ) : (
          <Choice key={k} kind={k} list={lists[k]} value={active[k]} use={(id) => void session.use(k, id)} />
        ),
      )}
      <label class="tick">
        <input
          type="checkbox"
          data-testid="self-view"
          checked={selfView.value}
          onChange={(e) => {
            selfView.value = e.currentTarget.checked;
          }}
        />
        {t('call.selfview')}
      </label>
      <Saver session={session} />
      <div class="actions">
        <button type="button" class="button" data-testid="connection" onClick={connection}>
          {t('line.show')}
        </button>
        <button type="button" class="button primary" data-testid="devices-close" onClick={onClose}>
          {t('call.close')}
        </button>
      </div>
    </Dialog>
  );
}

function Choice(p: { kind: DeviceKind; list: readonly Device[]; value: string; use(id: string): void }) {
  const id = useId();
  if (p.list.length === 0) return null;
  const name = t(names[p.kind]);
  return (
    <div class="field">
      <label for={id}>{name}</label>
      <select
        id={id}
        data-testid={`select-${p.kind}`}
        value={p.list.some((d) => d.id === p.value) ? p.value : p.list[0]?.id}
        onChange={(e) => p.use(e.currentTarget.value)}
      >
        {p.list.map((d, i) => (
          <option key={d.id} value={d.id}>
            {d.label || t('check.device', { kind: name, n: i + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}

interface Known {
  lists: Lists;
  hidden: readonly Kind[];
}

function useDevices(): Known {
  const [known, setKnown] = useState<Known>({ lists: { camera: [], microphone: [], speaker: [] }, hidden: [] });
  useEffect(() => {
    const media = navigator.mediaDevices;
    const read = async () => {
      const all = (await media?.enumerateDevices().catch(() => [])) ?? [];
      setKnown({ lists: sortDevices(all), hidden: hiddenKinds(all) });
    };
    void read();
    media?.addEventListener('devicechange', read);
    return () => media?.removeEventListener('devicechange', read);
  }, []);
  return known;
}
