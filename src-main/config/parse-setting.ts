import { quote } from './problem.js'
import { settingRow, type SettingName } from './settings.js'
import { valueKind } from './value-kinds.js'

/** One value as its row reads it, or the sentence that says what is wrong with it. */
export function parseSetting(
  name: SettingName,
  raw: unknown,
): { ok: true; value: unknown } | { ok: false; sentence: string } {
  const { schema, expected } = valueKind(settingRow(name))
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { ok: true, value: parsed.data }
  if (raw === true && settingRow(name).kind !== 'boolean')
    return { ok: false, sentence: `It needs a value: ${expected}.` }
  const index = parsed.error.issues[0]?.path[0]
  const culprit = Array.isArray(raw) && typeof index === 'number' ? (raw[index] as unknown) : raw
  return { ok: false, sentence: `${quote(culprit)} is not ${expected}.` }
}
