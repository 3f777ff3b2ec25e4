import { languageFor, readLanguageChoice } from './language.js'

/** The language of this page; English where there is none, as in tests. */
export const LANGUAGE = 'document' in globalThis ? languageFor(readLanguageChoice(), navigator.languages) : 'en'
