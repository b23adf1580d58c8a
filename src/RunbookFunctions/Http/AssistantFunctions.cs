using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Access;
using Runbooks.Web.Assistant;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>Assistants, behind a function key and the setting <c>Mcp__Enabled</c>.</summary>
internal sealed class AssistantFunctions(AssistantHandler assistant, AccessGuard access, DurableClients clients)
{
    [Function("Assistant")]
    public Task<IResult> PostAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "mcp")] HttpRequest request, [DurableClient] DurableTaskClient client) =>
        access.ApiAsync(request, Role.Viewer, () => clients.UseAsync(client, () => assistant.PostAsync(request)));
}
