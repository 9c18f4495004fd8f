// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from '../ui/Icon';
import { checkIcon, copyIcon } from '../ui/icons-media';
import { announce } from '../ui/live';

/** A link to read, mark and copy. */
export function LinkField({ link, label, copy: act }: { link: string; label?: string; copy?: string }) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // Without the clipboard the marked text can be copied by hand.
      field.current?.select();
      return;
    }
    setCopied(true);
    announce(t('desk.copied'));
    setTimeout(() => setCopied(false), 3000);
  };
  return (
    <div class="field link-field">
      <label>
        <span class="label-text">{label ?? t('desk.link')}</span>
        <input
          ref={field}
          type="text"
          readOnly
          value={link}
          data-testid="visitor-link"
          onFocus={(e) => e.currentTarget.select()}
        />
      </label>
      <button type="button" class="button small" data-testid="copy-link" onClick={() => void copy()}>
        <Icon of={copied ? checkIcon : copyIcon} size={20} />
        {copied ? t('desk.copied') : (act ?? t('desk.copy'))}
      </button>
    </div>
  );
}
