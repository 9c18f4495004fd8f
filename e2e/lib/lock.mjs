// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// What the lock of a call says.

/** The digits that people may compare, as the page shows them. */
export const digits = async (page) => {
  await page.getByTestId('lock').locator('summary').click();
  await page.getByTestId('compare').click();
  await page.getByTestId('compare-digits').locator('summary').click();
  const text = await page.getByTestId('compare-digits').locator('.digits li').allTextContents();
  const words = await page.getByTestId('compare-words').locator('li').allTextContents();
  await page.keyboard.press('Escape');
  return { digits: text.join(' '), words };
};

/** Waits until the keys of everybody are there. */
export const secured = (page, timeout = 20_000) =>
  page
    .locator(
      '[data-testid="lock"]:is([data-state="open"],[data-state="again"],[data-state="verified"],[data-state="linked"])',
    )
    .waitFor({ timeout });
