import { count } from './format.js'

/** Words about the key of this node. */
export const identityStrings = {
  title: 'Identity',
  hint: 'The key makes this node the same peer after each start. Keep a backup, and never run two nodes with one key.',
  seeded:
    'The key comes from the setting seed, so there is nothing to restore. Anyone who knows the seed can impersonate this node.',
  peerId: 'Peer id',
  file: 'Key file',
  pending: (peerId: string) => `A backup was restored. After the next start this node is ${peerId}.`,
  backup: {
    open: 'Back up…',
    title: 'Back up the identity',
    hint: 'The file holds the key of this node, locked with a passphrase. Anyone with both can impersonate this node; without the passphrase the file is useless, even to you.',
    passphrase: 'Passphrase',
    passphraseHelp: (min: number) =>
      `At least ${min} characters; several words are better than one. It isn’t stored anywhere.`,
    again: 'Repeat passphrase',
    tooShort: (min: number) => `Enter at least ${min} characters.`,
    differs: 'Passphrases don’t match.',
    save: 'Save backup',
    busy: 'Locking the key',
    done: (fileName: string) => `Saved as ${fileName}.`,
  },
  restore: {
    open: 'Restore…',
    title: 'Restore an identity',
    file: 'Backup file',
    tooBig: 'This file is too big to be a backup. Choose the one that “Back up” saved.',
    holds: 'Backup of',
    made: 'Made',
    now: 'This node now',
    passphrase: 'Passphrase of the backup',
    consequence:
      'After the next start, this node has the backup’s peer id, and peers no longer find it under the current one. The current key is kept beside the new one. Make sure no other node runs with the backup’s key.',
    do: 'Restore',
    busy: 'Opening the backup',
    done: (keptAs: string) => `Restored; it takes effect after the next start. The current key is kept as ${keptAs}.`,
    same: 'This backup has the key this node already uses. Nothing to do.',
  },
}

/** Words about the API keys of apps. */
export const keysStrings = {
  title: 'API keys',
  hint: (required: boolean) =>
    required
      ? 'The gateway is open to other machines, so every app needs a key. Give each its own: one can then be revoked without the others.'
      : 'The gateway asks for no key. An app that shows one is counted under its name in Traffic.',
  none: 'No API keys yet.',
  noneHint: (required: boolean) =>
    required
      ? 'No app can use the gateway until you make one.'
      : 'You don’t need any while the gateway is on localhost.',
  column: {
    name: 'Name',
    id: 'Id',
    created: 'Created',
    used: 'Last used',
    today: 'Today',
    sinceStart: 'Since the start',
    revoke: 'Revoke',
  },
  never: 'never',
  usage: (requests: number, tokens: number) => `${count(requests, 'request')} · ${count(tokens, 'token')}`,
  add: {
    open: 'New key…',
    title: 'New API key',
    name: 'Name',
    nameHelp: 'Which app or machine it is for.',
    missing: 'Enter a name.',
    do: 'Make key',
    made: (name: string) => `Key of ${name}`,
    once: 'Copy it now: it isn’t stored and won’t be shown again. Apps take it as their API key.',
    copy: 'Copy key',
    close: 'Done',
  },
  revoke: {
    open: 'Revoke…',
    label: (name: string) => `Revoke the key of ${name}`,
    title: (name: string) => `Revoke the key of ${name}?`,
    consequence: 'From its next request on, the app that uses it is refused. This can’t be undone.',
    do: 'Revoke key',
    done: (name: string) => `The key of ${name} is revoked.`,
  },
}
