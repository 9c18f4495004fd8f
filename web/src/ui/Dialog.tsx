// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface Props {
  title: string;
  testid: string;
  onClose(): void;
  children: ComponentChildren;
}

/** A modal dialog as long as it is rendered. Escape closes; the focus goes back to the opener. */
export function Dialog({ title, testid, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const el = ref.current;
    const opener = document.activeElement;
    el?.showModal();
    return () => {
      el?.close();
      // The browser's own way back is lost when the element is removed in the same task.
      setTimeout(() => opener instanceof HTMLElement && opener.isConnected && opener.focus());
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      data-testid={testid}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
