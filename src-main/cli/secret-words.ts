/** Invites, links with one, and keys of networks; as a part of a word, as mail programs put signs around them. */
const SECRET = /ocf[1-9][\w-]{8}|ocf-net\d|ocf:\/\/join/i

/**
 * Takes secrets that were given as arguments out of the list of processes, which every user of the machine can read; a
 * moment remains, and so does the shell's history.
 */
export function hideSecretWords(argv: readonly string[], title: string): void {
  if (argv.some((word) => SECRET.test(word))) process.title = title
}
