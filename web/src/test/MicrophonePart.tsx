// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useComputed } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PartState } from '../core/check/verdict';
import type { Capture } from '../core/media/capture';
import { type Heard, Meter } from '../core/media/meter';
import { t } from '../i18n';
import { announce } from '../ui/live';
import { PartCard } from './PartCard';

const seconds = 5;

interface Props {
  capture: Capture;
  state: PartState;
  /** Why there is no sound, unless no microphone was found. */
  refused: string;
  note(h: Heard): void;
}

export function MicrophonePart({ capture, state, refused, note }: Props) {
  const { microphone } = capture.state.value;
  const meter = useMemo(() => new Meter(), []);
  useEffect(() => {
    if (microphone) meter.start(microphone);
    const end = meter.heard.subscribe((h) => note(h));
    return () => {
      end();
      meter.stop();
    };
  }, [meter, microphone]);
  const text = useComputed(() =>
    t(meter.heard.value === 'yes' ? 'check.heard' : meter.heard.value === 'no' ? 'check.silent' : 'check.listening'),
  );
  return (
    <PartCard part="microphone" state={state}>
      {microphone ? (
        <>
          <meter
            min={0}
            max={1}
            value={meter.level.value}
            aria-label={t('check.level')}
            data-testid="mic-level"
            data-heard={meter.heard.value}
          />
          <p class="part-text">{text.value}</p>
          {typeof MediaRecorder === 'function' && <Echo track={microphone} />}
        </>
      ) : (
        <p class="part-text">{refused || t('check.noMicrophone')}</p>
      )}
    </PartCard>
  );
}

/** Records five seconds into memory and plays them back. */
function Echo({ track }: { track: MediaStreamTrack }) {
  const [left, setLeft] = useState(0);
  const [url, setUrl] = useState('');
  const audio = useRef<HTMLAudioElement>(null);
  const stop = useRef<() => void>(() => {});
  useEffect(() => () => stop.current(), []);
  useEffect(() => {
    if (!url) return;
    audio.current?.play().catch(() => {});
    return () => URL.revokeObjectURL(url);
  }, [url]);
  const record = () => {
    setUrl('');
    const parts: Blob[] = [];
    const recorder = new MediaRecorder(new MediaStream([track]));
    recorder.ondataavailable = (e) => parts.push(e.data);
    recorder.onstop = () => {
      setUrl(URL.createObjectURL(new Blob(parts, { type: recorder.mimeType })));
      announce(t('test.record.plays'));
    };
    recorder.start();
    setLeft(seconds);
    const timer = setInterval(() => {
      setLeft((n) => {
        if (n > 1) return n - 1;
        clearInterval(timer);
        if (recorder.state !== 'inactive') recorder.stop();
        return 0;
      });
    }, 1000);
    stop.current = () => {
      clearInterval(timer);
      recorder.onstop = null;
      if (recorder.state !== 'inactive') recorder.stop();
    };
  };
  return (
    <>
      <button
        type="button"
        class="button small"
        data-testid="record"
        data-left={left}
        aria-disabled={left > 0}
        onClick={() => left === 0 && record()}
      >
        {left > 0 ? t('test.record.left', { n: left }) : t(url ? 'test.record.again' : 'test.record')}
      </button>
      {url && (
        // biome-ignore lint/a11y/useMediaCaption: the person's own voice of a moment ago
        <audio ref={audio} src={url} controls aria-label={t('test.record.plays')} data-testid="playback" />
      )}
      <p class="hint">{t('test.record.t')}</p>
    </>
  );
}
