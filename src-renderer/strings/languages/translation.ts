import { LANGUAGE } from './page-language.js'

/** The words of this page's language, by the keys of the English ones: a file of its own, that who reads English never loads. */
export const translation = LANGUAGE === 'de' ? (await import('../german/index.js')).german : undefined
