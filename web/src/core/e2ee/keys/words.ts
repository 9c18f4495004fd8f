// SPDX-FileCopyrightText: 2026 The videoroom authors
// SPDX-License-Identifier: Apache-2.0

// The words of safety codes: 2048 for each language, each of a first part (64) and a second (32). So all of them are easily
// said and written, and any two differ by a whole part.

export type WordLanguage = 'de' | 'en';

const parts: Record<WordLanguage, { first: string; second: string; between: string }> = {
  de: {
    first: `Ahorn Apfel Bären Bernstein Birken Blumen Brombeer Buchen Delfin Distel Donner Efeu Eichen Elefanten
      Enten Erdbeer Fasanen Feder Fichten Flieder Frühlings Gold Granit Hasel Herbst Himmel Honig Igel Käfer Kamillen
      Kastanien Kiesel Kirsch Klee Korn Kupfer Lavendel Linden Löwen Marmor Melonen Mond Muschel Nebel Orangen Pfeffer
      Quitten Raben Regen Rosen Salbei Schnee Schwanen Silber Sommer Storchen Tannen Tulpen Veilchen Wachtel Walnuss
      Weizen Winter Zimt`,
    second: `allee bach berg bild boot brücke brunnen dorf fahne fenster garten glas hafen haus hügel insel karte kiste
      korb lampe licht mühle park platz schiff schule see stein tal turm wald zimmer`,
    between: '',
  },
  en: {
    first: `acorn almond amber apple autumn bamboo beaver birch bramble butter cactus cedar cherry cinnamon clover copper
      coral cotton dolphin dragonfly eagle elephant emerald falcon feather forest garlic ginger granite harvest hazel
      honey iris ivory juniper kangaroo lavender lemon linen lobster magnolia maple marble meadow melon monsoon mustard
      nutmeg olive orange panda pepper pumpkin rabbit saffron silver summer thunder tulip vanilla velvet walnut winter
      zebra`,
    second: `avenue balcony basket bridge candle castle corner cottage drawer fountain garden harbour hill island kitchen
      ladder lantern library market mirror museum palace picture river school shelf station street table tower valley
      window`,
    between: ' ',
  },
};

/** Every word of a language, in the order of its numbers. */
export function wordList(language: WordLanguage): string[] {
  const { first, second, between } = parts[language];
  const ends = second.split(/\s+/);
  return first.split(/\s+/).flatMap((begin) => ends.map((end) => begin + between + end));
}

/** The words of a safety code's numbers. */
export function codeWords(numbers: readonly number[], language: WordLanguage): string[] {
  const list = wordList(language);
  return numbers.map((n) => {
    const word = list[n];
    if (word === undefined) throw new RangeError('no such word');
    return word;
  });
}
