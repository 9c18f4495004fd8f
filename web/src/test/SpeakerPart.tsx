// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks';
import type { PartState } from '../core/check/verdict';
import type { Capture } from '../core/media/capture';
import { play } from '../core/media/tone';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { speakerIcon } from '../ui/icons-media';
import { PartCard } from './PartCard';

interface Props {
  capture: Capture;
  state: PartState;
  note(heard: 'yes' | 'no'): void;
}

export function SpeakerPart({ capture, state, note }: Props) {
  const [played, setPlayed] = useState(false);
  return (
    <PartCard part="speaker" state={state}>
      <button
        type="button"
        class="button small"
        data-testid="test-tone"
        onClick={() => {
          play('test', capture.state.peek().speaker);
          setPlayed(true);
        }}
      >
        <Icon of={speakerIcon} size={20} />
        {t('check.tone')}
      </button>
      {played && (
        <fieldset class="pair answers">
          <legend>{t('test.heard')}</legend>
          <button type="button" class="button small" data-testid="heard-yes" onClick={() => note('yes')}>
            {t('test.yes')}
          </button>
          <button type="button" class="button small" data-testid="heard-no" onClick={() => note('no')}>
            {t('test.no')}
          </button>
        </fieldset>
      )}
      <p class="part-text">{t(state === 'bad' ? 'check.toneHint' : 'test.speaker.t')}</p>
    </PartCard>
  );
}
