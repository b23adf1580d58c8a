// Tells the contacts before the money is gone, and once more when it is. Azure never stops anything by itself.

import { budget } from '../types.bicep'

param name string
param limit budget

resource spending 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: limit.amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: limit.startDate }
    notifications: {
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: limit.contactEmails
      }
      most: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: limit.contactEmails
      }
    }
  }
}
