import { DEMO_MODEL } from '../../stores/model-use.js'
import { strings } from '../../strings.js'
import { Badge } from './badge.js'

/** Says of the built-in demo model that it is one; nothing of any other model. */
export function DemoBadge({ model }: { model: string }) {
  return model === DEMO_MODEL && <Badge title={strings.models.demoHint}>{strings.models.demo}</Badge>
}
