// Sign-in in front of the app (optional). Anonymous callers are let through: function keys are the app's own business, and
// it sends whoever opens an approval link or the console to the sign-in. The platform names the person in its header, and
// the app writes that name into the record.

param appName string
param clientId string
@description('Further audiences whose tokens pass: the secure webhook\'s.')
param audiences string[]
@description('Further applications that may call: the secure webhook\'s.')
param callers string[]

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false }, preserveUrlFragmentsForLogins: false }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
        }
        validation: {
          allowedAudiences: union([clientId, 'api://${clientId}'], audiences)
          // Without this list App Service has answered 403 to right tokens of other applications, before the app sees them
          // (github.com/pnp/Microsoft365-Analytics-Insights/pull/264); and a list has to name the sign-in itself too.
          defaultAuthorizationPolicy: { allowedApplications: union([clientId], callers) }
        }
      }
    }
  }
}
