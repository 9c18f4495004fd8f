// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Language, type Page, telHref, withLanguage } from '../core/page';
import { language, setLanguage, t } from '../i18n';
import { Icon } from './Icon';
import { phoneIcon, videoIcon } from './icons';
import { Live } from './live';

/** Every page but the call: practice on top, help by phone at the same place below. */
export function Shell({ page, wide, children }: { page: Page; wide?: boolean; children: ComponentChildren }) {
  return (
    <div class={wide ? 'shell wide' : 'shell'}>
      {/* biome-ignore lint/a11y/useValidAnchor: a skip link; following it would replace the fragment, which holds the capability */}
      <a class="skip" href="#content" onClick={skip}>
        {t('skip')}
      </a>
      <header class="top">
        <span class="brand" data-testid="practice">
          {page.logo ? (
            <img src={page.logo} alt={page.practice || t('landing.title')} />
          ) : (
            <>
              <Icon of={videoIcon} />
              <span>{page.practice || t('landing.title')}</span>
            </>
          )}
        </span>
        <LanguageSelect />
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer class="foot">
        {page.phone && (
          <a class="phone" href={telHref(page.phone)} data-testid="phone">
            <Icon of={phoneIcon} size={20} />
            <span>{t('help.call', { phone: page.phone })}</span>
          </a>
        )}
        <a class="phone" href={`${page.base}/privacy`} target="_blank" rel="noopener" data-testid="privacy-link">
          {t('privacy.link')}
        </a>
      </footer>
      <Live />
    </div>
  );
}

function skip(e: Event): void {
  e.preventDefault();
  document.getElementById('content')?.focus();
}

function LanguageSelect() {
  const choose = (next: Language) => {
    // The choice travels in the fragment only: a reload keeps it, the server never learns it.
    history.replaceState(null, '', withLanguage(location.hash, next));
    void setLanguage(next);
  };
  return (
    <label class="language">
      <span class="vh">{t('lang.label')}</span>
      <select data-testid="language" value={language.value} onChange={(e) => choose(e.currentTarget.value as Language)}>
        <option value="de" lang="de">
          Deutsch
        </option>
        <option value="en" lang="en">
          English
        </option>
      </select>
    </label>
  );
}

let first = true;

/** The one heading of a screen: names the window and takes the focus, except right after loading. */
export function Heading({ practice, children, ...rest }: { practice: string; children: string; class?: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (first) first = false;
    else ref.current?.focus();
  }, []);
  useEffect(() => {
    document.title = t('title.state', { state: children, practice });
  }, [children, practice]);
  return (
    <h1 ref={ref} tabIndex={-1} {...rest}>
      {children}
    </h1>
  );
}
