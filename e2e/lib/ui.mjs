// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The pages as people use them. Test ids are those of the user interface.

import { until } from './wait.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** What a visitor can end up with: test id, and the codes of the error screen. */
const endings = {
  full: [40],
  badLink: [43],
  declined: [45],
  removed: [50],
  ended: [51],
  closed: [41, 43, 51],
  nomedia: [33],
};

/** The call, for hosts and visitors alike. */
export class CallView {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
  }

  /** Waits until the call is shown. */
  async joined(timeout = 30_000) {
    await this.page.getByTestId('call').waitFor({ timeout });
    return this;
  }

  /** The other people's tiles. */
  tiles() {
    return this.page.getByTestId('tile');
  }

  tile(name) {
    return this.tiles().filter({ has: this.page.getByTestId('tile-name').getByText(name, { exact: true }) });
  }

  /** CSS selector of somebody's camera. */
  video(name) {
    return `[data-testid="tile"] video[aria-label="${name}"]`;
  }

  /** CSS selector of somebody's screen. */
  screen(name) {
    return `[data-testid="tile-screen"] video[aria-label*="${name}"]`;
  }

  async count(n, timeout = 20_000) {
    await until(
      `${n} other people are shown`,
      async () => {
        const have = await this.tiles().count();
        if (have !== n) throw new Error(`${have} are shown`);
        return true;
      },
      { timeout },
    );
  }

  async toggleMicrophone() {
    await this.page.getByTestId('microphone').click();
  }

  async toggleCamera() {
    await this.page.getByTestId('camera').click();
  }

  async toggleShare() {
    await this.page.getByTestId('share').click();
  }

  /** Waits until one's own microphone is on or muted. @param {'on' | 'muted'} state */
  async microphone(state) {
    await this.page.locator(`[data-testid="microphone"][data-on="${state === 'on'}"]`).waitFor();
  }

  /** Opens a panel unless it is open. @param {'chat' | 'people'} panel */
  async panel(panel) {
    if (await this.page.getByTestId(`${panel}-panel`).isVisible()) return;
    await this.page.getByTestId(panel).click();
    await this.page.getByTestId(`${panel}-panel`).waitFor();
  }

  async say(text) {
    await this.panel('chat');
    await this.page.getByTestId('chat-input').fill(text);
    await this.page.getByTestId('chat-send').click();
  }

  /** Waits for a line of the chat, exactly as it was written. */
  async hasMessage(text, from) {
    await this.panel('chat');
    const line = this.page.getByTestId('chat-line').filter({ hasText: from });
    await line.getByText(text, { exact: true }).waitFor();
  }

  async leave() {
    await this.page.getByTestId('leave').click();
    // A host is asked whether to leave or to end.
    const self = this.page.getByTestId('leave-self');
    const gone = this.page.getByTestId('call');
    await until('the call is left', async () => {
      if (await self.isVisible()) await self.click();
      return !(await gone.isVisible());
    });
  }
}

/** A host before the page of the practice. */
export class HostPage {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.call = new CallView(page);
  }

  /** @param {import('./browsers.mjs').Seat} seat */
  static async open(seat, link) {
    const host = new HostPage(await seat.page());
    await host.page.goto(link);
    await host.page.locator('[data-testid="desk"][data-link="up"]').waitFor();
    return host;
  }

  /** Opens a room. @returns {Promise<string>} the visitor's link */
  async openRoom() {
    await this.page.getByTestId('open-room').click();
    return this.page.getByTestId('visitor-link').last().inputValue();
  }

  /** Goes into the room oneself. */
  async enter() {
    await this.page.getByTestId('enter').last().click();
    for (const device of ['camera', 'microphone']) {
      await this.page.locator(`[data-testid="toggle-${device}"][data-on="true"]`).waitFor();
    }
    await this.page.getByTestId('join').click();
    await this.call.joined();
  }

  /** The line of somebody who waits. In a call it stands in the list of people. */
  waiting(name) {
    return this.page.getByTestId('waiting-person').filter({ hasText: name });
  }

  async admit(name) {
    await this.#door();
    await this.waiting(name).getByTestId('admit').click();
  }

  async decline(name) {
    await this.#door();
    await this.waiting(name).getByTestId('decline').click();
  }

  /** Writes to somebody who waits. */
  async message(name, text) {
    await this.#door();
    await this.waiting(name).getByTestId('message').click();
    await this.page.getByTestId('message-text').fill(text);
    await this.page.getByTestId('message-send').click();
  }

  /** Offers somebody who waits a colleague. */
  async hand(name, colleague) {
    await this.#door();
    await this.waiting(name).getByTestId('hand').click();
    await this.page.locator(`[data-testid="colleague"][data-host="${colleague}"]`).click();
  }

  /** Puts somebody back into the waiting room. */
  async back(name) {
    await this.call.panel('people');
    await this.#person(name).getByTestId('back-person').click();
  }

  async #door() {
    if (await this.page.getByTestId('call').isVisible()) await this.call.panel('people');
  }

  #person(name) {
    return this.page.getByTestId('person').filter({ hasText: name });
  }

  async mute(name) {
    await this.call.panel('people');
    await this.#person(name).getByTestId('mute-person').click();
  }

  async remove(name) {
    await this.call.panel('people');
    await this.#person(name).getByTestId('remove-person').click();
    await this.page.getByTestId('confirm-remove').click();
  }

  /** Ends the conversation for everybody. */
  async end() {
    await this.page.getByTestId('leave').click();
    await this.page.getByTestId('end-for-all').click();
  }
}

/** A visitor on the link's page. */
export class VisitorPage {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.call = new CallView(page);
  }

  /** @param {import('./browsers.mjs').Seat} seat */
  static async open(seat, link) {
    const visitor = new VisitorPage(await seat.page());
    await visitor.page.goto(link);
    return visitor;
  }

  /**
   * From the link to the waiting room.
   * @param {string} name
   * @param {{with?: 'both' | 'audio' | 'nothing'}} [o] what is handed out
   */
  async knock(name, { with: give = 'both' } = {}) {
    await this.page.getByTestId('continue').click();
    const button = { both: 'allow-both', audio: 'allow-audio', nothing: 'watch-only' }[give];
    await this.page.getByTestId(button).click();
    await this.page.getByTestId('name').fill(name);
    await this.page.getByTestId('join').click();
    await this.page.getByTestId('waiting').or(this.page.getByTestId('call')).waitFor();
  }

  async giveUp() {
    await this.page.getByTestId('stop-waiting').click();
  }

  /** Waits for how it ended. @param {keyof typeof endings | 'left'} ending */
  async sees(ending, timeout = 30_000) {
    if (ending === 'left') return this.page.getByTestId('ended').waitFor({ timeout });
    const code = await this.page.getByTestId('error').getAttribute('data-code', { timeout });
    if (!endings[ending].includes(Number(code))) throw new Error(`${ending}: the page shows VR-${code}`);
  }
}
