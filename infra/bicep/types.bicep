// The shapes of the parameters. Everything optional is off, and what is off holds no role.

import { exampleRules } from 'modules/alerts/example-types.bicep'

@export()
@description('One AKS cluster and what may be done in it.')
type kubernetesCluster = {
  id: string
  @description('Namespaces in which pods may be recycled. None means the whole cluster.')
  namespaces: string[]?
  @description('Namespaces in which deployments may be restarted and scaled.')
  deployments: string[]?
  @description('Its nodes may be cordoned, tainted and drained, which evicts pods of every namespace.')
  nodes: bool?
  @description('Nothing in it may be changed: checks look at its pods, deployments and nodes. What is named above then counts for nothing.')
  lookOnly: bool?
}

@export()
@description('The resources that runbooks may read or change, by resource id. Each list is one integration; each entry gets exactly its own role, which stays when the entry goes.')
type integrations = {
  @description('Recycle pods; restart and scale deployments and take nodes out of service where a cluster says so.')
  kubernetes: kubernetesCluster[]?
  @description('Reimage nodes of AKS: the virtual machine scale sets of their pools, in the cluster\'s node resource group.')
  nodeScaleSets: string[]?
  @description('Switch capability flags in further App Configuration stores (the one made here is granted anyway).')
  appConfiguration: string[]?
  @description('Block a prompt signature at Front Door.')
  frontDoorWaf: string[]?
  @description('Block a prompt signature at an Application Gateway.')
  applicationGatewayWaf: string[]?
  @description('Suspend a subscription key of API Management, weigh the backends of a pool, read its metrics.')
  apiManagement: string[]?
  @description('Regenerate a key of an Azure OpenAI account, let its deployments spill over, block prompts by its blocklists, read its metrics.')
  openAi: string[]?
  @description('Azure Machine Learning workspaces whose online endpoints\' traffic is moved.')
  machineLearning: string[]?
  @description('User-assigned identities of those endpoints: moving traffic writes an endpoint whole, and Azure asks about each, also where it stays. The app could give them to whatever else it may write.')
  machineLearningIdentities: string[]?
  @description('Re-route with Traffic Manager.')
  trafficManager: string[]?
  @description('Re-route with Front Door origins (the profiles), read their metrics.')
  frontDoorOrigins: string[]?
  @description('Run the fixed clean-up script on a virtual machine.')
  virtualMachines: string[]?
  @description('Restart an App Service or Function app.')
  webApps: string[]?
  @description('Restart a revision of a Container App.')
  containerApps: string[]?
  @description('Read metrics and resource health of any resource that a check of your runbooks asks about.')
  metrics: string[]?
  @description('Query Log Analytics workspaces.')
  logs: string[]?
  @description('Query Azure Monitor workspaces (managed Prometheus).')
  prometheus: string[]?
  @description('Acknowledge and close Azure Monitor alerts of the deployment\'s subscription.')
  closeAlerts: bool?
}

@export()
@description('An Entra application made by infra/entra/setup.sh that Azure Monitor must hold a token for.')
type secureWebhook = {
  @description('Application (client) id.')
  clientId: string
  @description('Object id of the application.')
  objectId: string
  @description('Identifier URI, also the audience of the token.')
  identifierUri: string
}

@export()
@description('Where messages go, and whom contacts ask that are schedules. What is left out is not configured. Secrets are named here and live in the vault. A Slack channel is an id, C…; stackUrl goes with a service account\'s token.')
type channels = {
  slack: { channel: string }?
  teams: bool?
  email: { host: string, port: int, from: string, user: string? }?
  pagerDuty: bool?
  webhook: bool?
  onCall: { pagerDuty: { url: string }?, grafana: { url: string, stackUrl: string? }? }?
}

@description('What runbooks call it: letters and digits. App settings take no hyphen.')
type connectionName = string

@export()
@description('How the systems that runbooks ask and change are reached, each by the name that runbooks use. The first of each kind is meant by steps that name none. What the app may do there is another matter: integrations, or a token\'s own rights.')
type connections = {
  @description('An AKS cluster with Entra sign-in: resourceId alone. Any other: server and certificateAuthority.')
  kubernetes: {
    name: connectionName
    @description('Azure is asked where the API server is; the cluster belongs to integrations.kubernetes as well. Runbooks may also call it by its name in AKS, which is the label cluster of managed Prometheus.')
    resourceId: string?
    server: string?
    @description('Use the secret kubernetes-<name>-token, of a service account, in place of the app\'s identity (which needs AKS with Entra sign-in).')
    token: bool?
    @description('PEM in base64, as kubeconfig files hold it.')
    certificateAuthority: string?
  }[]?
  @description('token: the secret prometheus-<name>-token. azureIdentity: managed Prometheus, asked with the app\'s identity; the workspace belongs to integrations.prometheus as well. ui: where a person opens it. every: how often its targets are scraped, such as 00:00:30; a minute when left out.')
  prometheus: {
    name: connectionName
    url: string
    token: bool?
    azureIdentity: bool?
    ui: string?
    every: string?
  }[]?
  @description('Key: secret llm-provider-<name>-key. Of Azure OpenAI each deployment is one: url is https://NAME.openai.azure.com/openai/v1, and model the deployment.')
  llmProviders: {
    name: connectionName
    url: string
    key: bool?
    @description('Authorization when left out; api-key for Azure OpenAI.')
    keyHeader: string?
    @description('Added to every request. Azure OpenAI refuses a dated api-version below /openai/v1.')
    query: string?
    model: string?
    statusPage: string?
  }[]?
  @description('Admin key: secret litellm-<name>-key.')
  liteLlm: { name: connectionName, url: string }[]?
  @description('Secret: tickets-<name>-secret.')
  tickets: {
    name: connectionName
    kind: 'ServiceNow' | 'Jira' | 'AzureDevOps'
    url: string
    @description('ServiceNow: the user. Jira: the e-mail address.')
    user: string?
    @description('Jira: its key. Azure DevOps: its name.')
    project: string?
    @description('ServiceNow: the table. The others: the type.')
    type: string?
    closedState: string?
    closeCode: string?
  }[]?
  @description('Stores beside the one made here, which is called flags.')
  appConfiguration: { name: connectionName, endpoint: string }[]?
}

@export()
@description('How long things are kept, in days.')
type retention = {
  @description('Logs and metrics.')
  logs: int
  @description('Closed incidents with their histories and evidence, removed by the app.')
  incidents: int
  @description('Evidence blobs, removed by the storage account whatever the app does.')
  evidence: int
  @description('Deleted secrets and blobs can be restored for this long.')
  deleted: int
}

@export()
@description('Monthly spending at which the contacts are told. It stops nothing.')
type budget = {
  amount: int
  contactEmails: string[]
  @description('First day of a month, e.g. 2026-12-01. Azure takes the current month or a later one for a new budget, and refuses to move it once the budget exists.')
  startDate: string
}

@export()
@description('A read-only Durable Functions Monitor app beside this one.')
type durableFunctionsMonitor = {
  @description('Client id of the sign-in application (infra/entra/setup.sh monitor).')
  clientId: string
  @description('Users who may look, by the name they sign in with.')
  allowedUsers: string[]
}

@export()
@description('What every module needs to know about where and under which name.')
type place = {
  location: string
  tags: object
}

@export()
@description('Names that differ from the convention of modules/names.bicep.')
type nameOverrides = {
  identity: string?
  plan: string?
  app: string?
  storage: string?
  vault: string?
  configuration: string?
  workspace: string?
  insights: string?
  scheduler: string?
  network: string?
  monitor: string?
}

@export()
@description('People and pipelines with a part to play, by object id. Nobody else gets a role, and whoever is taken out keeps it until somebody deletes it.')
type people = {
  @description('May set and rotate secrets.')
  secretOperators: string[]?
  @description('May publish runbooks, and the tab templates of the monitor: the pipeline of the runbook repository, not people.')
  runbookPublishers: string[]?
  @description('May read evidence.')
  auditors: string[]?
  @description('Entra groups whose members may everything on the pages, where people sign in.')
  admins: string[]?
  @description('Entra groups whose members act on incidents there. People of the contacts do so without.')
  operators: string[]?
  @description('Entra groups whose members only look.')
  viewers: string[]?
}

@export()
@description('How big the app may grow.')
type scale = {
  @description('Instances that are always there, as many to take alerts and show pages as to move incidents on. 0 saves money and makes both wait after a quiet time.')
  alwaysReady: int
  maximum: int
  memoryMB: 512 | 2048 | 4096
}

@export()
@description('Which way Azure Monitor reaches the app, and whom the app\'s own troubles are told.')
type alerting = {
  @description('Guarded by Entra (recommended).')
  webhook: secureWebhook?
  @description('Guarded by a function key. Needs the app deployed once, since the key is made by its host.')
  functionReceiver: bool?
  @description('The function key it carries; \'default\' when left out. To rotate, make another key first and name it here.')
  functionKeyName: string?
  @description('Mail addresses for alerts about the system itself: when it is down, nothing else tells.')
  @minLength(1)
  contactEmails: string[]
  @description('Look at publicUrl from outside, every five minutes; true when left out. Not where only a network of your own reaches it.')
  watchPublicUrl: bool?
  examples: exampleRules
}
