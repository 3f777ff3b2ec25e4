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
    tooBig: 'This file is far too big for a backup of an identity. Choose the file that “Back up” saved.',
    holds: 'Backup of',
    made: 'Made',
    now: 'This node now',
    passphrase: 'Passphrase of the backup',
    consequence:
      'After the next start this node has the peer id of the backup, and other peers no longer find it under the one it has now. The key it has now is kept beside the new one. Make sure no other node runs with the backup’s key.',
    do: 'Restore',
    busy: 'Opening the backup',
    done: (keptAs: string) => `Restored; it takes effect after the next start. The current key is kept as ${keptAs}.`,
    same: 'This backup has the key this node already uses. Nothing to do.',
  },
}
