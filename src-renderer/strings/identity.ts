/** Words about the key of this node. */
export const identityStrings = {
  title: 'Identity',
  hint: 'A key makes this node the same peer after each start. Keep a backup, and never run two nodes with one key.',
  seeded:
    'The key comes from the setting seed, so there is nothing to restore. Whoever knows the seed can be this node.',
  peerId: 'Peer id',
  file: 'Key file',
  pending: (peerId: string) => `A backup was restored. After the next start this node is ${peerId}.`,
  backup: {
    open: 'Save a backup …',
    title: 'Save a backup of the identity',
    hint: 'The file holds the key of this node, locked with a passphrase. Whoever has both can be this node; without the passphrase the file is of no use to anybody, you included.',
    passphrase: 'Passphrase',
    passphraseHelp: (min: number) => `At least ${min} characters; some words are better than one. It is kept nowhere.`,
    again: 'The passphrase again',
    tooShort: (min: number) => `Type at least ${min} characters.`,
    differs: 'The two are not the same.',
    save: 'Save backup',
    busy: 'Locking the key',
    done: (fileName: string) => `Saved as ${fileName}.`,
  },
  restore: {
    open: 'Restore from a backup …',
    title: 'Restore an identity',
    file: 'Backup file',
    tooBig: 'This file is far too big for a backup of an identity. Choose the file that “Save a backup” wrote.',
    holds: 'Backup of',
    made: 'Made',
    now: 'This node now',
    passphrase: 'Passphrase of the backup',
    consequence:
      'After the next start this node has the peer id of the backup, and other peers no longer find it under the one it has now. The key it has now is kept beside the new one. Make sure no other node runs with the backup’s key.',
    do: 'Restore',
    busy: 'Opening the backup',
    done: (keptAs: string) => `Restored; it counts after the next start. The key until now is kept as ${keptAs}.`,
    same: 'This backup holds the key this node has already. Nothing is to be done.',
  },
}
