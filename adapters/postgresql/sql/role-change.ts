import type { SettingChange } from './analysis.ts'

/** Whether a setting makes the session act as another role, or may: not when it goes back to its own, which `none` is, too. */
export function isRoleChange({ name, value }: SettingChange): boolean {
  if (value === 'default') return false
  if (name === 'role') return value === 'unknown' || value.some((role) => role !== 'none')
  return name === 'session_authorization' || (name === '*' && value === 'unknown')
}
