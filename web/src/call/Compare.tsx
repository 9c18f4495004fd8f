// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks';
import { compareStep, digitGroups, stillCurrent } from '../core/call/safety';
import type { CallSession } from '../core/call/types';
import type { SafetyCode } from '../core/e2ee/keys/types';
import { codeWords, type WordLanguage } from '../core/e2ee/keys/words';
import { language, t } from '../i18n';
import { Dialog } from '../ui/Dialog';

interface Props {
  session: CallSession;
  onClose(): void;
}

/**
 * Four words to read to each other. An answer counts for the words on the screen only: where others take their place,
 * they are not shown before the people have noticed.
 */
export function Compare({ session, onClose }: Props) {
  const s = session.snapshot.value;
  const code = s.encryption?.code ?? null;
  const verified = s.encryption?.verified ?? false;
  const [seen, setSeen] = useState(code?.digits ?? '');
  const [doubt, setDoubt] = useState(false);
  const [list, setList] = useState<WordLanguage>(language.value);
  const step = compareStep(seen, code);
  if (code && !seen) setSeen(code.digits);
  const body = useFocus(step === 'words' && doubt ? 'doubt' : step);

  const alone = s.remotes.length === 0;
  useEffect(() => {
    if (alone) onClose();
  }, [alone]);

  const answer = (equal: boolean) => {
    if (!stillCurrent(seen, session.snapshot.peek())) return;
    session.compared(equal);
    if (equal) onClose();
  };
  const again = () => {
    setDoubt(false);
    setSeen(code?.digits ?? '');
  };
  return (
    <Dialog
      title={t(step === 'words' && doubt ? 'words.sure' : 'lock.compare')}
      testid="compare-dialog"
      onClose={onClose}
    >
      <div ref={body} class="compare" tabIndex={-1} data-step={step}>
        {step === 'wait' && <p>{t('words.wait')}</p>}
        {step === 'changed' && <p>{t('words.changed')}</p>}
        {step === 'words' && doubt && <p>{t('words.sure.t')}</p>}
        {step === 'words' && code && !doubt && (
          <>
            <p>{t(s.remotes.length > 1 ? 'words.many' : 'words.two')}</p>
            <Words code={code} list={list} choose={setList} />
            {verified && <p class="quiet">{t('words.done')}</p>}
          </>
        )}
      </div>
      <div class="actions">
        {step === 'changed' && (
          <button type="button" class="button primary" data-testid="compare-new" onClick={again}>
            {t('words.changed.do')}
          </button>
        )}
        {step === 'words' && !doubt && (
          <>
            {!verified && (
              <button type="button" class="button primary" data-testid="compare-equal" onClick={() => answer(true)}>
                {t('words.equal')}
              </button>
            )}
            <button type="button" class="button" data-testid="compare-different" onClick={() => setDoubt(true)}>
              {t('words.different')}
            </button>
          </>
        )}
        {step === 'words' && doubt ? (
          <>
            <button type="button" class="button" data-testid="compare-back" onClick={again}>
              {t('words.sure.no')}
            </button>
            <button type="button" class="button danger" data-testid="compare-end" onClick={() => answer(false)}>
              {t('words.sure.yes')}
            </button>
          </>
        ) : (
          <button type="button" class="link" data-testid="compare-later" onClick={onClose}>
            {t(verified ? 'call.close' : 'words.later')}
          </button>
        )}
      </div>
    </Dialog>
  );
}

interface WordsProps {
  code: SafetyCode;
  list: WordLanguage;
  choose(list: WordLanguage): void;
}

const lists: readonly (readonly [WordLanguage, string])[] = [
  ['de', 'Deutsch'],
  ['en', 'English'],
];

function Words({ code, list, choose }: WordsProps) {
  return (
    <>
      <ol class="words" lang={list} data-testid="compare-words">
        {codeWords(code.words, list).map((word, i) => (
          <li key={`${i} ${word}`}>{word}</li>
        ))}
      </ol>
      <fieldset class="switch">
        <legend>{t('words.language')}</legend>
        {lists.map(([key, name]) => (
          <label key={key} lang={key}>
            <input
              type="radio"
              name="words"
              value={key}
              checked={list === key}
              data-testid={`words-${key}`}
              onChange={() => choose(key)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
      <details data-testid="compare-digits">
        <summary>{t('words.digits')}</summary>
        <p>{t('words.digits.t')}</p>
        <ol class="digits">
          {digitGroups(code.digits).map((group, i) => (
            <li key={`${i} ${group}`}>{group}</li>
          ))}
        </ol>
      </details>
    </>
  );
}

/** No button is under the finger when what it means has changed. */
function useFocus(step: string) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => ref.current?.focus(), [step]);
  return ref;
}
