// How the systems that runbooks ask and change are reached: names, addresses, and references to their keys.
// What the app may do there is another question, answered by integrations.bicep.

import { connections } from '../types.bicep'
import { secret } from 'app-settings.bicep'

func merged(parts object[]) object => reduce(parts, {}, (all, part) => union(all, part))

@description('The first is the one that steps without a name mean.')
func default(section string, things object[]) object => empty(things) ? {} : { '${section}__Default': things[0].name }

func kept(name string, value string) object => empty(value) ? {} : { '${name}': value }

func clusters(list object[], vaultUri string) object => merged(map(list, one => union(
  kept('Kubernetes__Clusters__${one.name}__ResourceId', one.?resourceId ?? ''),
  kept('Kubernetes__Clusters__${one.name}__Server', one.?server ?? ''),
  kept('Kubernetes__Clusters__${one.name}__CertificateAuthorityData', one.?certificateAuthority ?? ''),
  !empty(one.?resourceId ?? '') ? {} : (one.?token ?? false)
    ? { 'Kubernetes__Clusters__${one.name}__Token': secret(vaultUri, 'kubernetes-${one.name}-token') }
    : { 'Kubernetes__Clusters__${one.name}__AzureIdentity': 'true' }
)))

func metrics(list object[], vaultUri string) object => merged(map(list, one => union(
  { 'Prometheus__Endpoints__${one.name}__Url': one.url },
  kept('Prometheus__Endpoints__${one.name}__Ui', one.?ui ?? ''),
  kept('Prometheus__Endpoints__${one.name}__Every', one.?every ?? ''),
  (one.?azureIdentity ?? false) ? { 'Prometheus__Endpoints__${one.name}__AzureIdentity': 'true' } : {},
  !(one.?token ?? false) ? {} : { 'Prometheus__Endpoints__${one.name}__Token': secret(vaultUri, 'prometheus-${one.name}-token') }
)))

func providers(list object[], vaultUri string) object => merged(map(list, one => union(
  { 'LlmProvider__Providers__${one.name}__Url': one.url },
  kept('LlmProvider__Providers__${one.name}__Model', one.?model ?? ''),
  kept('LlmProvider__Providers__${one.name}__KeyHeader', one.?keyHeader ?? ''),
  kept('LlmProvider__Providers__${one.name}__Query', one.?query ?? ''),
  kept('LlmProvider__Providers__${one.name}__StatusPage', one.?statusPage ?? ''),
  !(one.?key ?? false) ? {} : { 'LlmProvider__Providers__${one.name}__ApiKey': secret(vaultUri, 'llm-provider-${one.name}-key') }
)))

func proxies(list object[], vaultUri string) object => merged(map(list, one => {
  'LiteLlm__Proxies__${one.name}__Url': one.url
  'LiteLlm__Proxies__${one.name}__ApiKey': secret(vaultUri, 'litellm-${one.name}-key')
}))

func ticketSystems(list object[], vaultUri string) object => merged(map(list, one => union(
  {
    'Tickets__Systems__${one.name}__Kind': one.kind
    'Tickets__Systems__${one.name}__Url': one.url
    'Tickets__Systems__${one.name}__Secret': secret(vaultUri, 'tickets-${one.name}-secret')
  },
  kept('Tickets__Systems__${one.name}__User', one.?user ?? ''),
  kept('Tickets__Systems__${one.name}__Project', one.?project ?? ''),
  kept('Tickets__Systems__${one.name}__Type', one.?type ?? ''),
  kept('Tickets__Systems__${one.name}__ClosedState', one.?closedState ?? ''),
  kept('Tickets__Systems__${one.name}__CloseCode', one.?closeCode ?? '')
)))

@export()
@description('The store made here is called flags, and is the one that steps without a name mean.')
func connectionSettings(to connections, flagsEndpoint string, vaultUri string) object => union(
  {
    AppConfiguration__Default: 'flags'
    AppConfiguration__Stores__flags__Endpoint: flagsEndpoint
  },
  merged(map(to.?appConfiguration ?? [], one => { 'AppConfiguration__Stores__${one.name}__Endpoint': one.endpoint })),
  default('Kubernetes', to.?kubernetes ?? []),
  clusters(to.?kubernetes ?? [], vaultUri),
  default('Prometheus', to.?prometheus ?? []),
  metrics(to.?prometheus ?? [], vaultUri),
  default('LlmProvider', to.?llmProviders ?? []),
  providers(to.?llmProviders ?? [], vaultUri),
  default('LiteLlm', to.?liteLlm ?? []),
  proxies(to.?liteLlm ?? [], vaultUri),
  default('Tickets', to.?tickets ?? []),
  ticketSystems(to.?tickets ?? [], vaultUri)
)
