import { chatGerman } from './chat.js'
import { doctorGerman } from './doctor.js'
import { engineGerman } from './engine.js'
import { frameGerman } from './frame.js'
import { homeGerman } from './home.js'
import { identityGerman, keysGerman } from './identity.js'
import { modelsGerman } from './models.js'
import { networkGerman } from './network.js'
import { pairingGerman, peopleGerman } from './people.js'
import { settingsGerman } from './settings.js'
import { shareGerman } from './share.js'
import { trafficGerman } from './traffic.js'

/** Every sentence of the interface in German, by the keys of the English ones. */
export const german = {
  ...frameGerman,
  chat: chatGerman,
  models: modelsGerman,
  network: networkGerman,
  people: peopleGerman,
  pairing: pairingGerman,
  traffic: trafficGerman,
  share: shareGerman,
  engine: engineGerman,
  doctor: doctorGerman,
  home: homeGerman,
  settings: settingsGerman,
  identity: identityGerman,
  keys: keysGerman,
}
