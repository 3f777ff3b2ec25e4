import type { GpuView } from '#shared/contract/node/node.js'
import { formatMemory } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { Visible } from '../../ui/text/visible.js'
import styles from './gpu-card.module.css'
import { useGpus } from './use-gpus.js'

const { gpus: words } = strings.home

/** What the GPUs of this computer do now; nothing where the machine tells of none. */
export function GpuCard() {
  const gpus = useGpus()
  if (gpus.length === 0) return null
  return (
    <Card title={words.title(gpus.length)}>
      <ul className={styles['gpus']}>
        {gpus.map((gpu, index) => (
          <Gpu key={`${index} ${gpu.name}`} gpu={gpu} />
        ))}
      </ul>
    </Card>
  )
}

function Gpu({ gpu: { name, memoryMiB, usedMiB, busyPercent, celsius } }: { gpu: GpuView }) {
  return (
    <li className={styles['gpu']}>
      <span className={styles['name']}>
        <Visible text={name} />
      </span>
      <span className={styles['meter']}>
        <meter aria-label={words.memory} min={0} max={memoryMiB} value={usedMiB} />
        <span>{words.of(formatMemory(usedMiB), formatMemory(memoryMiB))}</span>
      </span>
      <span className={styles['figure']}>{busyPercent === null ? words.unknownUse : words.use(busyPercent)}</span>
      <span className={styles['figure']}>{celsius === null ? '' : words.temperature(celsius)}</span>
    </li>
  )
}
