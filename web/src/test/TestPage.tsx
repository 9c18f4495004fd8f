// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { obstacle } from '../core/flow/capability';
import { Capture, kinds, MediaRefused } from '../core/media/capture';
import { unlockTones } from '../core/media/tone';
import type { Page } from '../core/page';
import { maybe, t } from '../i18n';
import { ErrorScreen } from '../ui/ErrorScreen';
import { Icon } from '../ui/Icon';
import { cameraIcon, micIcon } from '../ui/icons-media';
import { Heading, Shell } from '../ui/Shell';
import { Bench } from './Bench';

/** The equipment test: nothing is stored, and no picture or sound leaves the device. */
export function TestPage({ page }: { page: Page }) {
  const capture = useMemo(() => new Capture(() => {}), []);
  const [running, setRunning] = useState(false);
  const [refused, setRefused] = useState(0);
  const blocked = obstacle(window);
  useEffect(() => {
    const stop = () => capture.stop();
    window.addEventListener('pagehide', stop);
    return () => window.removeEventListener('pagehide', stop);
  }, [capture]);
  const start = async () => {
    unlockTones();
    try {
      await capture.open(kinds);
      setRefused(0);
    } catch (e) {
      // The rest can be tried all the same.
      setRefused(e instanceof MediaRefused ? e.code : 99);
    }
    setRunning(true);
  };
  const stop = () => {
    capture.stop();
    setRunning(false);
  };
  return (
    <Shell page={page} wide={running}>
      {blocked && <ErrorScreen page={page} code={blocked} actions={{}} />}
      {!blocked && !running && <Intro page={page} start={() => void start()} />}
      {!blocked && running && (
        <Bench page={page} capture={capture} refused={refused ? (maybe(`e${refused}`) ?? t('e99')) : ''} stop={stop} />
      )}
    </Shell>
  );
}

function Intro({ page, start }: { page: Page; start(): void }) {
  const tick = useRef<HTMLInputElement>(null);
  const [missing, setMissing] = useState(false);
  const [asking, setAsking] = useState(false);
  const go = (e: Event) => {
    e.preventDefault();
    if (!tick.current?.checked) {
      setMissing(true);
      tick.current?.focus();
      return;
    }
    setAsking(true);
    start();
  };
  return (
    <form class="card" data-testid="test-intro" onSubmit={go} noValidate>
      <div class="badge calm">
        <Icon of={cameraIcon} size={28} />
        <Icon of={micIcon} size={28} />
      </div>
      <Heading practice={page.practice}>{t('test.title')}</Heading>
      <p class="lead">{t('test.lead')}</p>
      <div class="note">
        <strong>{t('test.prompt')}</strong>
        <p>{t('test.prompt.t')}</p>
        <div class="prompt-sketch" aria-hidden="true">
          <span class="sketch-address">{location.host}</span>
          <span class="sketch-box">
            <b>{t('test.prompt.wants')}</b>
            <span class="sketch-line">
              <Icon of={cameraIcon} size={16} /> {t('check.camera')}
            </span>
            <span class="sketch-line">
              <Icon of={micIcon} size={16} /> {t('check.microphone')}
            </span>
            <span class="sketch-buttons">
              <i>{t('test.prompt.block')}</i>
              <i class="yes">{t('test.prompt.allow')}</i>
            </span>
          </span>
        </div>
      </div>
      <div>
        <label class="tick">
          <input
            ref={tick}
            type="checkbox"
            data-testid="test-consent"
            aria-required="true"
            aria-invalid={missing}
            aria-describedby="consent-text"
            onChange={() => setMissing(false)}
          />
          {t('test.consent')}
        </label>
        <p class={missing ? 'field-error' : 'hint'} id="consent-text">
          {t(missing ? 'test.consent.missing' : 'test.consent.t')}
        </p>
      </div>
      <div class="actions">
        <button type="submit" class="button primary" data-testid="test-start">
          {t(asking ? 'test.asking' : 'test.start')}
        </button>
      </div>
    </form>
  );
}
