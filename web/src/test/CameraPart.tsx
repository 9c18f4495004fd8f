// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks';
import { type Advice, look } from '../core/check/scene';
import type { PartState } from '../core/check/verdict';
import type { Capture } from '../core/media/capture';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { cameraOffIcon } from '../ui/icons-media';
import { Preview } from '../ui/media';
import { PartCard } from './PartCard';

const lookEvery = 700;
/** Advice changes only when it was the same this often: light flickers, and people move. */
const steady = 3;

interface Props {
  capture: Capture;
  state: PartState;
  /** Why there is no picture, unless no camera was found. */
  refused: string;
  note(a: Advice): void;
}

export function CameraPart({ capture, state, refused, note }: Props) {
  const { camera } = capture.state.value;
  const box = useRef<HTMLDivElement>(null);
  const [advice, setAdvice] = useState<Advice | null>(null);
  useEffect(() => {
    if (!camera) return;
    let last: Advice | null = null;
    let times = 0;
    const timer = setInterval(() => {
      const el = box.current?.querySelector('video');
      const now = el ? look(el) : null;
      times = now === last ? times + 1 : 1;
      last = now;
      if (!now || times < steady) return;
      setAdvice(now);
      note(now);
    }, lookEvery);
    return () => clearInterval(timer);
  }, [camera]);
  return (
    <PartCard part="camera" state={state}>
      <div ref={box} class="preview framed" data-camera={camera ? 'on' : 'off'}>
        {camera ? (
          <>
            <Preview track={camera} label={t('check.preview')} testid="preview" />
            <svg class="frame" viewBox="0 0 160 90" aria-hidden="true" preserveAspectRatio="xMidYMid meet">
              <path d="M80 14c-13 0-20 10-20 23s8 25 20 25 20-12 20-25-7-23-20-23Z" />
              <path d="M38 90c3-16 18-24 42-24s39 8 42 24" />
            </svg>
          </>
        ) : (
          <p class="preview-off">
            <Icon of={cameraOffIcon} size={36} />
            {t('check.cameraOff')}
          </p>
        )}
      </div>
      <p class="part-text" role="status" data-testid="camera-advice" data-advice={advice}>
        {camera ? t(advice ? `test.light.${advice}` : 'test.light.wait') : refused || t('check.noCamera')}
      </p>
    </PartCard>
  );
}
