// Names by convention: what it is, which environment, and a few letters that make it unique where Azure wants that.

import { nameOverrides } from '../types.bicep'

@export()
func names(environmentName string, token string, chosen nameOverrides) object => {
  identity: chosen.?identity ?? 'id-runbooks-${environmentName}'
  plan: chosen.?plan ?? 'plan-runbooks-${environmentName}'
  app: chosen.?app ?? 'func-runbooks-${environmentName}-${token}'
  // Small letters and digits only, 24 at most.
  storage: chosen.?storage ?? take('strb${toLower(replace(environmentName, '-', ''))}${token}', 24)
  vault: chosen.?vault ?? take('kv-rb-${environmentName}-${token}', 24)
  configuration: chosen.?configuration ?? 'appcs-runbooks-${environmentName}-${token}'
  workspace: chosen.?workspace ?? 'log-runbooks-${environmentName}'
  insights: chosen.?insights ?? 'appi-runbooks-${environmentName}'
  scheduler: chosen.?scheduler ?? 'dts-runbooks-${environmentName}'
  network: chosen.?network ?? 'vnet-runbooks-${environmentName}'
  monitor: chosen.?monitor ?? 'dfm-runbooks-${environmentName}-${token}'
}
