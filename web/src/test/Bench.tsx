// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { NetworkResult } from '../core/check/network';
import type { Advice } from '../core/check/scene';
import { networkGrade, overall, type Part, type PartState } from '../core/check/verdict';
import type { Capture } from '../core/media/capture';
import type { Heard } from '../core/media/meter';
import type { Page } from '../core/page';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { alertIcon } from '../ui/icons';
import { checkIcon } from '../ui/icons-media';
import { announce } from '../ui/live';
import { Heading } from '../ui/Shell';
import { CameraPart } from './CameraPart';
import { MicrophonePart } from './MicrophonePart';
import { NetworkPart } from './NetworkPart';
import { report } from './report';
import { SpeakerPart } from './SpeakerPart';

/** Everything that was found so far. */
export interface Findings {
  camera: Advice | 'none' | null;
  microphone: Heard | 'none';
  speaker: 'yes' | 'no' | null;
  network: NetworkResult | 'failed' | null;
}

interface Props {
  page: Page;
  capture: Capture;
  refused: string;
  stop(): void;
}

/** The four tests side by side, and the result in one sentence. */
export function Bench({ page, capture, refused, stop }: Props) {
  const found = useSignal<Findings>({ camera: null, microphone: 'unknown', speaker: null, network: null });
  const note = (f: Partial<Findings>) => {
    found.value = { ...found.peek(), ...f };
  };
  const { camera, microphone } = capture.state.value;
  const parts = useMemo(() => states(found.value, !!camera, !!microphone), [found.value, camera, microphone]);
  const why = refused && `${refused}.`;
  return (
    <section class="bench" data-testid="bench">
      <div class="intro">
        <Heading practice={page.practice}>{t('test.title')}</Heading>
        <p class="lead">{t('test.local')}</p>
      </div>
      {refused && (
        <p class="note bad" role="alert" data-testid="test-refused">
          {refused}. {t('test.refused')}
        </p>
      )}
      <div class="bench-parts">
        <CameraPart capture={capture} state={parts.camera} refused={why} note={(advice) => note({ camera: advice })} />
        <MicrophonePart
          capture={capture}
          state={parts.microphone}
          refused={why}
          note={(heard) => note({ microphone: heard })}
        />
        <SpeakerPart capture={capture} state={parts.speaker} note={(speaker) => note({ speaker })} />
        <NetworkPart page={page} state={parts.network} note={(network) => note({ network })} />
      </div>
      <Result parts={parts} found={found.value} page={page} />
      <div class="actions">
        <button type="button" class="button" data-testid="test-stop" onClick={stop}>
          {t('test.stop')}
        </button>
      </div>
    </section>
  );
}

export function states(f: Findings, camera: boolean, microphone: boolean): Record<Part, PartState> {
  const network = f.network === 'failed' ? 'blocked' : f.network && networkGrade(f.network);
  return {
    camera:
      !camera || f.camera === 'black' ? 'bad' : f.camera === null ? 'open' : f.camera === 'good' ? 'good' : 'hint',
    microphone: !microphone || f.microphone === 'no' ? 'bad' : f.microphone === 'yes' ? 'good' : 'open',
    speaker: f.speaker === null ? 'open' : f.speaker === 'yes' ? 'good' : 'bad',
    network:
      network === null
        ? 'open'
        : network === 'good'
          ? 'good'
          : network === 'blocked' || network === 'weak'
            ? 'bad'
            : 'hint',
  };
}

interface ResultProps {
  page: Page;
  parts: Record<Part, PartState>;
  found: Findings;
}

function Result({ page, parts, found }: ResultProps) {
  const result = overall(parts);
  const said = useRef('');
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (result !== 'open' && said.current !== result) announce(t(`test.result.${result}`));
    said.current = result;
  }, [result]);
  const text = report(page, found, parts);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(t('test.copied'));
    } catch {
      // Without the clipboard the marked text can be copied by hand.
      field.current?.select();
    }
  };
  return (
    <section class="card result" data-testid="test-result" data-result={result}>
      <h2>
        {result !== 'open' && <Icon of={result === 'trouble' ? alertIcon : checkIcon} size={24} />}
        {t(`test.result.${result}`)}
      </h2>
      <p>{t(`test.result.${result}.t`)}</p>
      <details>
        <summary>{t('test.report')}</summary>
        <p>{t('test.report.t')}</p>
        <textarea
          ref={field}
          class="report"
          readOnly
          rows={14}
          value={text}
          aria-label={t('test.report')}
          data-testid="test-report"
        />
        <button type="button" class="button small" data-testid="copy-report" onClick={() => void copy()}>
          {t(copied ? 'test.copied' : 'test.copy')}
        </button>
      </details>
    </section>
  );
}
