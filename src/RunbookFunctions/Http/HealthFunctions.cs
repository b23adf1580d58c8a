using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Http;

namespace RunbookFunctions.Http;

internal sealed class HealthFunctions(HealthHandler health, DurableClients clients)
{
    [Function("Health")]
    public Task<IResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "healthz")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => health.GetAsync(request));
}
