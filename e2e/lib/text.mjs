// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// A shared screen full of text, and how much of it can be read at the other
// end. The text is in cells of a grid, so that each letter of a decoded frame
// can be compared with every letter there is: it is read when it resembles its
// own the most.

/** @typedef {import('playwright-core').Page} Page */

/** The screen, and its text: 11 pt are 14.67 pixels there. Cells are in pixels. */
export const sheet = {
  width: 1920,
  height: 1080,
  font: '11pt "Liberation Mono", monospace',
  cell: { width: 9, height: 20 },
  left: 540,
  top: 40,
  columns: 90,
  rows: 50,
  fps: 15,
  letters: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789äöüß',
};

/** How many letters of a frame are read: some in each part of it. */
const probes = 320;

/**
 * Makes the pages of a browser share a sheet of text instead of a screen. It is painted anew at its frame rate, with a
 * caret that blinks.
 * @param {import('playwright-core').BrowserContext} context
 */
export async function shareText(context) {
  await context.addInitScript(writing, { sheet, probes });
  await context.addInitScript(typeset, sheet);
}

/** The same text and the eye for it, in a page that looks at it. @param {Page} page */
export const spectacles = (page) => page.evaluate(writing, { sheet, probes });

/** Text, and the comparison of it, as window.__text. */
function writing({ sheet, probes }) {
  const { cell, columns, rows, letters } = sheet;
  const chance = (n) => {
    let x = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  };
  /** Which letter stands in a column of a line of the document, -1 for none. */
  const letter = (line, column) => {
    const n = chance(line * 4096 + column);
    return n % 7 === 0 || (line % 9 === 8 && column > 40) ? -1 : (n >>> 8) % letters.length;
  };
  const places = Array.from({ length: probes }, (_, i) => {
    const n = chance(i + 1e6);
    return { row: Math.floor((i * rows) / probes), column: n % columns };
  });
  const size = cell.width * cell.height;

  /** Grey values of a cell, less their mean; their length; and the strength of its edges. */
  const take = (grey, width, x, y) => {
    const out = new Float32Array(size);
    let [mean, edges] = [0, 0];
    for (let j = 0; j < cell.height; j++) {
      for (let i = 0; i < cell.width; i++) {
        const at = (y + j) * width + x + i;
        out[j * cell.width + i] = grey[at];
        mean += grey[at] / size;
        if (i > 0) edges += (grey[at] - grey[at - 1]) ** 2;
        if (j > 0) edges += (grey[at] - grey[at - width]) ** 2;
      }
    }
    let length = 0;
    for (let i = 0; i < size; i++) {
      out[i] -= mean;
      length += out[i] * out[i];
    }
    return { out, length: Math.sqrt(length), edges };
  };

  const canvas = new OffscreenCanvas(sheet.width, sheet.height);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  const greyOf = (picture) => {
    context.drawImage(picture, 0, 0, sheet.width, sheet.height);
    const { data } = context.getImageData(0, 0, sheet.width, sheet.height);
    const grey = new Uint8Array(sheet.width * sheet.height);
    for (let i = 0; i < grey.length; i++)
      grey[i] = (data[i * 4] * 77 + data[i * 4 + 1] * 151 + data[i * 4 + 2] * 28) >> 8;
    return grey;
  };

  /** Each letter as it is printed. */
  const alphabet = (() => {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.fillStyle = '#111';
    context.font = sheet.font;
    context.textBaseline = 'middle';
    for (let n = 0; n < letters.length; n++) context.fillText(letters[n], n * cell.width, cell.height / 2);
    const grey = greyOf(canvas);
    return Array.from(letters, (_, n) => take(grey, sheet.width, n * cell.width, 0));
  })();

  /**
   * How well a picture of the document from some line on can be read: the share of letters that resemble themselves
   * more than any other, how much (1: they are the same), and how strong the edges are beside those that were sent.
   */
  const read = (picture, from) => {
    const grey = greyOf(picture);
    let [right, all, alike, edges, sent] = [0, 0, 0, 0, 0];
    for (const { row, column } of places) {
      const n = letter(from + row, column);
      if (n < 0) continue;
      const seen = take(grey, sheet.width, sheet.left + column * cell.width, sheet.top + row * cell.height);
      const like = alphabet.map(({ out, length }) => {
        let dot = 0;
        for (let i = 0; i < size; i++) dot += out[i] * seen.out[i];
        return dot / (length * seen.length + 1);
      });
      all++;
      if (like.indexOf(Math.max(...like)) === n) right++;
      alike += like[n];
      edges += seen.edges;
      sent += alphabet[n].edges;
    }
    return { right: right / all, alike: alike / all, edges: edges / sent };
  };
  window.__text = { letter, read };
}

/** Draws the sheet in the place of a screen that is shared; window.__sheet scrolls it. */
function typeset(sheet) {
  if (!navigator.mediaDevices) return;
  const { cell, columns, rows, letters } = sheet;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [sheet.width, sheet.height];
  const c = canvas.getContext('2d', { alpha: false });
  let from = 0;
  const print = () => {
    c.fillStyle = '#fff';
    c.fillRect(0, 0, sheet.width, sheet.height);
    c.fillStyle = '#111';
    c.font = sheet.font;
    c.textBaseline = 'middle';
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const n = window.__text.letter(from + row, column);
        const [x, y] = [sheet.left + column * cell.width, sheet.top + row * cell.height + cell.height / 2];
        if (n >= 0) c.fillText(letters[n], x, y);
      }
    }
  };
  const caret = () => {
    c.fillStyle = performance.now() % 1000 < 500 ? '#111' : '#fff';
    c.fillRect(sheet.left - 6, sheet.top, 2, cell.height);
  };
  navigator.mediaDevices.getDisplayMedia = async () => {
    print();
    setInterval(caret, 1000 / sheet.fps);
    return canvas.captureStream(sheet.fps);
  };
  window.__sheet = {
    /** Goes on by some lines. @returns {number} when, in ms of the machine's clock */
    scroll: (lines) => {
      from += lines;
      print();
      return performance.timeOrigin + performance.now();
    },
    /** What would be read of the sheet itself, and of a copy of a share of its size. */
    limits: (share) => {
      const small = new OffscreenCanvas(sheet.width * share, sheet.height * share);
      const shrunk = small.getContext('2d');
      shrunk.imageSmoothingQuality = 'high';
      shrunk.drawImage(canvas, 0, 0, small.width, small.height);
      return { whole: window.__text.read(canvas, from), small: window.__text.read(small, from) };
    },
  };
}

/**
 * Reads every frame of a video from now on, as if it showed the document from some line on; see reading.
 * @param {Page} page @param {string} selector @param {number} from
 */
export const readAlong = (page, selector, from) => page.evaluate(follow, { selector, from });

function follow({ selector, from }) {
  const video = document.querySelector(selector);
  const first = window.__reading === undefined;
  window.__reading = { from, frames: [] };
  if (!first) return;
  const frame = (_, data) => {
    const { frames, from } = window.__reading;
    const t = performance.timeOrigin + data.presentationTime;
    frames.push({ t, height: video.videoHeight, ...window.__text.read(video, from) });
    video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);
}

/** What was read since readAlong. @param {Page} page */
export const reading = (page) => page.evaluate(() => window.__reading.frames);
