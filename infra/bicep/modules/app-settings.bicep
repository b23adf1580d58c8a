// Every app setting this system reads, composed here and listed with its meaning in infra/app-settings.json.
// A value that starts with @Microsoft.KeyVault is a reference: the platform puts the secret into the process, nowhere else.

import { channels, people, secureWebhook } from '../types.bicep'

@export()
@description('What a reference looks like. No version: a rotated secret is taken within a day, or at once by refresh-secrets.sh.')
func secret(vaultUri string, name string) string => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${name})'

@export()
@description('The host itself: storage and telemetry by identity, no connection string with a key.')
func hostSettings(blobUri string, queueUri string, tableUri string, clientId string, insights string) object => {
  AzureWebJobsStorage__blobServiceUri: blobUri
  AzureWebJobsStorage__queueServiceUri: queueUri
  AzureWebJobsStorage__tableServiceUri: tableUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${clientId}'
  // The console is at the site's root, where the platform would otherwise show its own page.
  AzureWebJobsDisableHomepage: 'true'
}

@export()
@description('Where the managed scheduler is. That it keeps the hub has to stand in the package\'s host.json: the platform reads no setting of it.')
func schedulerSettings(endpoint string, hubName string, clientId string) object => {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${endpoint};TaskHub=${hubName};Authentication=ManagedIdentity;ClientID=${clientId}'
}

@export()
func runbookSettings(publicUrl string, blobUri string, tableUri string, clientId string, keepDays int) object => {
  Runbooks__PublicUrl: publicUrl
  // contacts.yaml is read from there too.
  Runbooks__RunbooksContainer: 'runbooks'
  // Nothing but the app's own identity: without its id the platform would look for a system-assigned one, which there is not.
  Azure__ManagedIdentityClientId: clientId
  Azure__ManagedIdentityOnly: 'true'
  AzureStorage__BlobServiceUri: blobUri
  AzureStorage__TableServiceUri: tableUri
  AzureStorage__ClientId: clientId
  AzureStorage__EvidenceContainer: 'evidence'
  AzureStorage__DocumentContainer: 'documents'
  Banner__Container: '${blobUri}banner'
  Watch__KeepFor: '${keepDays}.00:00:00'
}

@export()
@description('The first key signs, every key verifies: during a rotation both are here, see docs/operations.md.')
func linkSigningSettings(keyIds string[], vaultUri string) object => reduce(
  map(range(0, length(keyIds)), i => {
    'LinkSigning__Keys__${i}__Id': keyIds[i]
    'LinkSigning__Keys__${i}__Secret': secret(vaultUri, 'link-signing-${keyIds[i]}')
  }),
  {},
  (all, one) => union(all, one)
)

@export()
func intakeSettings(webhook secureWebhook?, tenantId string) object => webhook == null ? {} : {
  Intake__TenantId: tenantId
  Intake__Audience: webhook!.identifierUri
}

@export()
@description('Sign-in in front of the pages, without a client secret: the app\'s identity vouches for it.')
func signInSettings(signInClientId string, clientId string, tenantId string) object => empty(signInClientId) ? {} : {
  // Only where the platform stands in front: it removes such headers from what comes in, and nothing else does.
  Auth__TrustPlatformPrincipal: 'true'
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: clientId
  WEBSITE_AUTH_AAD_ALLOWED_TENANTS: tenantId
}

@export()
@description('Which groups of Entra may what. The app roles of the sign-in application say it without a setting.')
func roleSettings(who people) object => union(
  groupSettings('Auth__AdminGroups', who.?admins ?? []),
  groupSettings('Auth__OperatorGroups', who.?operators ?? []),
  groupSettings('Auth__ViewerGroups', who.?viewers ?? [])
)

func groupSettings(name string, groups string[]) object => reduce(
  map(range(0, length(groups)), i => { '${name}__${i}': groups[i] }),
  {},
  (all, one) => union(all, one)
)

@export()
@description('Only channels that are on: a reference to a secret that is not there would reach the app as its own text.')
func channelSettings(to channels, vaultUri string) object => union(
  to.?slack == null ? {} : {
    Slack__Channel: to.slack!.channel
    Slack__BotToken: secret(vaultUri, 'slack-bot-token')
    Slack__SigningSecret: secret(vaultUri, 'slack-signing-secret')
  },
  !(to.?teams ?? false) ? {} : { Teams__WorkflowUrl: secret(vaultUri, 'teams-workflow-url') },
  !(to.?pagerDuty ?? false) ? {} : { PagerDuty__RoutingKey: secret(vaultUri, 'pagerduty-routing-key') },
  to.?onCall.?pagerDuty == null ? {} : {
    PagerDuty__ApiUrl: to.onCall!.pagerDuty!.url
    PagerDuty__ApiToken: secret(vaultUri, 'pagerduty-api-token')
  },
  to.?onCall.?grafana == null ? {} : {
    GrafanaOnCall__Url: to.onCall!.grafana!.url
    GrafanaOnCall__Token: secret(vaultUri, 'grafana-oncall-token')
  },
  empty(to.?onCall.?grafana.?stackUrl) ? {} : { GrafanaOnCall__StackUrl: to.onCall!.grafana!.stackUrl! },
  !(to.?webhook ?? false) ? {} : { Webhook__SigningSecret: secret(vaultUri, 'webhook-signing-secret') },
  to.?email == null ? {} : {
    Email__Host: to.email!.host
    Email__Port: string(to.email!.port)
    // 465 begins with TLS, every other port switches to it.
    Email__Security: to.email!.port == 465 ? 'Tls' : 'StartTls'
    Email__From: to.email!.from
  },
  empty(to.?email.?user) ? {} : {
    Email__User: to.email!.user!
    Email__Password: secret(vaultUri, 'email-password')
  }
)
