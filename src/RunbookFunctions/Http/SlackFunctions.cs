using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Slack;

namespace RunbookFunctions.Http;

/// <summary>Buttons pressed in Slack. Slack's signature is the credential, so the host asks for no key.</summary>
internal sealed class SlackFunctions(SlackInteractionsHandler slack, DurableClients clients)
{
    [Function("SlackInteractions")]
    public Task<IResult> PostAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "api/slack/interactions")] HttpRequest request,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => slack.PostAsync(request));
}
