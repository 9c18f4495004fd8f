// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { type Capture, canChooseSpeaker, type Device, type Kind } from '../core/media/capture';
import { Meter } from '../core/media/meter';
import { play } from '../core/media/tone';
import { type Key, t } from '../i18n';
import { HiddenDevices } from './HiddenDevices';
import { Icon } from './Icon';
import { cameraIcon, cameraOffIcon, micIcon, micOffIcon, speakerIcon } from './icons-media';
import { announce } from './live';
import { Preview } from './media';

interface Props {
  capture: Capture;
  /** Nobody asks a host for a name. */
  name: string | null;
  notes: readonly string[];
  submit: string;
  onJoin(name: string): void;
  onInput?(): void;
}

/** Preview, microphone level, devices and name. The button always works: it says what is missing. */
export function DeviceCheck({ capture, name, notes, submit, onJoin, onInput }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState('');
  const { camera, microphone, devices, hidden } = capture.state.value;
  useEffect(() => {
    const changed = () => void capture.refresh();
    changed();
    navigator.mediaDevices?.addEventListener('devicechange', changed);
    return () => navigator.mediaDevices?.removeEventListener('devicechange', changed);
  }, [capture]);

  const report = (kind: Kind, code: number | null) => {
    setProblem(code === null ? '' : t(problemKey(kind, code)));
  };
  const toggle = async (kind: Kind) => {
    if (capture.state.peek()[kind]) capture.off(kind);
    else report(kind, await capture.on(kind));
  };
  const use = async (kind: Kind, id: string) => report(kind, await capture.use(kind, id));

  const submitted = (e: Event) => {
    e.preventDefault();
    const value = name === null ? '' : (field.current?.value.trim() ?? '');
    if (name !== null && !value) {
      setMissing(true);
      field.current?.focus();
      return;
    }
    onJoin(value);
  };
  return (
    <form class="check" onSubmit={submitted} onInput={onInput} noValidate data-testid="device-check">
      <div class="check-left">
        <div class="preview" data-camera={camera ? 'on' : 'off'}>
          {camera ? (
            <Preview track={camera} label={t('check.preview')} testid="preview" />
          ) : (
            <p class="preview-off">
              <Icon of={cameraOffIcon} size={36} />
              {t('check.cameraOff')}
            </p>
          )}
          <div class="preview-bar">
            <Toggle kind="microphone" on={!!microphone} run={() => void toggle('microphone')} />
            <Toggle kind="camera" on={!!camera} run={() => void toggle('camera')} />
          </div>
        </div>
      </div>
      <div class="check-right">
        {[...notes, problem].filter(Boolean).map((n) => (
          <p class="note" role="status" key={n} data-testid="device-note">
            {n}
          </p>
        ))}
        {!camera && !microphone && <p class="note">{t('check.watching')}</p>}
        {(camera || microphone) && <MicLevel track={microphone} />}
        {name !== null && <NameField field={field} name={name} missing={missing} typed={() => setMissing(false)} />}
        <DeviceSelect
          kind="microphone"
          list={devices.microphone}
          hidden={hidden.includes('microphone')}
          track={microphone}
          use={(id) => void use('microphone', id)}
        />
        <DeviceSelect
          kind="camera"
          list={devices.camera}
          hidden={hidden.includes('camera')}
          track={camera}
          use={(id) => void use('camera', id)}
        />
        <Speaker capture={capture} />
        <div class="sticky">
          <button type="submit" class="button primary" data-testid="join">
            {submit}
          </button>
        </div>
      </div>
    </form>
  );
}

interface NameProps {
  field: RefObject<HTMLInputElement | null>;
  name: string;
  missing: boolean;
  typed(): void;
}

function NameField({ field, name, missing, typed }: NameProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t('check.name')}</label>
      <input
        ref={field}
        id={id}
        data-testid="name"
        type="text"
        autocomplete="name"
        maxLength={64}
        defaultValue={name}
        enterkeyhint="go"
        aria-required="true"
        aria-invalid={missing}
        aria-describedby={`${id}-text`}
        onInput={typed}
      />
      {missing ? (
        <p class="field-error" id={`${id}-text`} data-testid="name-error">
          {t('check.nameMissing')}
        </p>
      ) : (
        <p class="hint" id={`${id}-text`}>
          {t('check.nameHint')}
        </p>
      )}
    </div>
  );
}

function problemKey(kind: Kind, code: number): Key & `${'check' | 'e10' | 'e12'}${string}` {
  if (code === 15) return kind === 'camera' ? 'check.noCamera' : 'check.noMicrophone';
  if (code === 14) return kind === 'camera' ? 'check.busyCamera' : 'check.busyMicrophone';
  return code === 12 ? 'e12.t' : 'e10.t';
}

function Toggle({ kind, on, run }: { kind: Kind; on: boolean; run(): void }) {
  const key: Key =
    kind === 'camera' ? (on ? 'check.cameraOff.do' : 'check.cameraOn.do') : on ? 'check.micOff.do' : 'check.micOn.do';
  const icon = kind === 'camera' ? (on ? cameraIcon : cameraOffIcon) : on ? micIcon : micOffIcon;
  return (
    <button
      type="button"
      class={on ? 'round' : 'round off'}
      data-testid={kind === 'camera' ? 'toggle-camera' : 'toggle-microphone'}
      data-on={on}
      aria-label={t(key)}
      title={t(key)}
      onClick={run}
    >
      <Icon of={icon} />
    </button>
  );
}

function MicLevel({ track }: { track: MediaStreamTrack | null }) {
  const meter = useMemo(() => new Meter(), []);
  const said = useSignal(0);
  useEffect(() => {
    if (track) meter.start(track);
    else meter.stop();
    return () => meter.stop();
  }, [meter, track]);
  const text = useComputed(() => {
    if (meter.heard.value === 'yes') return t('check.heard');
    return meter.heard.value === 'no' ? t('check.silent') : t('check.listening');
  });
  useSignalEffect(() => {
    const news = text.value;
    if (meter.heard.value === 'unknown' || Date.now() - said.peek() < 5000) return;
    said.value = Date.now();
    announce(news);
  });
  return (
    <div class="level">
      <Icon of={track ? micIcon : micOffIcon} size={20} />
      <meter
        min={0}
        max={1}
        value={meter.level.value}
        aria-label={t('check.level')}
        data-testid="mic-level"
        data-heard={meter.heard.value}
      />
      <span class="level-text" data-testid="mic-text">
        {track ? text.value : t('check.micIsOff')}
      </span>
    </div>
  );
}

interface SelectProps {
  kind: Kind;
  list: readonly Device[];
  /** There are devices, but the browser names none before one is allowed. */
  hidden: boolean;
  track: MediaStreamTrack | null;
  use(id: string): void;
}

function DeviceSelect({ kind, list, hidden, track, use }: SelectProps) {
  const id = useId();
  /** Stays chosen while the device is switched off. */
  const last = useRef('');
  if (track) last.current = track.getSettings().deviceId ?? '';
  if (hidden && !track) return <HiddenDevices kind={kind} />;
  if (list.length < 2 && !track) return null;
  const name = t(kind === 'camera' ? 'check.camera' : 'check.microphone');
  const value = list.some((d) => d.id === last.current) ? last.current : list[0]?.id;
  return (
    <div class="field">
      <label for={id}>{name}</label>
      <select id={id} data-testid={`select-${kind}`} value={value} onChange={(e) => use(e.currentTarget.value)}>
        {list.map((d, i) => (
          <option key={d.id} value={d.id}>
            {d.label || t('check.device', { kind: name, n: i + 1 })}
          </option>
        ))}
      </select>
    </div>
  );
}

function Speaker({ capture }: { capture: Capture }) {
  const id = useId();
  const [played, setPlayed] = useState(false);
  const { devices, speaker } = capture.state.value;
  const choose = canChooseSpeaker() && devices.speaker.length > 1;
  return (
    <div class="field">
      {choose && (
        <>
          <label for={id}>{t('check.speaker')}</label>
          <select
            id={id}
            data-testid="select-speaker"
            value={speaker}
            onChange={(e) => capture.useSpeaker(e.currentTarget.value)}
          >
            {devices.speaker.map((d, i) => (
              <option key={d.id} value={d.id === 'default' ? '' : d.id}>
                {d.label || t('check.device', { kind: t('check.speaker'), n: i + 1 })}
              </option>
            ))}
          </select>
        </>
      )}
      <button
        type="button"
        class="link"
        data-testid="test-tone"
        onClick={() => {
          play('test', speaker);
          setPlayed(true);
        }}
      >
        <Icon of={speakerIcon} size={20} />
        {t('check.tone')}
      </button>
      {played && <p class="hint">{t('check.toneHint')}</p>}
    </div>
  );
}
