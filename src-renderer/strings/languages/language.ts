/** The languages of the interface, as HTML names them. */
const LANGUAGES = ['en', 'de'] as const
/** One of them. */
type Language = (typeof LANGUAGES)[number]

/** `auto` follows the system. */
type LanguageChoice = 'auto' | Language
/** What a person can choose from. */
export const LANGUAGE_CHOICES: readonly LanguageChoice[] = ['auto', ...LANGUAGES]

/** What each language calls itself, as no one looks for it by another name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' }

const KEY = 'ocf-language'

/** The person's choice, kept on this computer. */
export function readLanguageChoice(): LanguageChoice {
  const saved = localStorage.getItem(KEY)
  return LANGUAGE_CHOICES.find((choice) => choice === saved) ?? 'auto'
}

/** Keeps the choice; pages have their words from the start, so it takes effect when they are loaded again. */
export function chooseLanguage(choice: LanguageChoice): void {
  localStorage.setItem(KEY, choice)
}

/** The first of these that there is, by the person's choice and then by the order in which the system wants them. */
export function languageFor(choice: LanguageChoice, wanted: readonly string[]): Language {
  if (choice !== 'auto') return choice
  const known = wanted.map((tag) => LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language))
  return known.find((language) => language !== undefined) ?? 'en'
}
