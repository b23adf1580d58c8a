using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>The page behind an approval link. The signed token is its credential, so the host asks for no key; where people sign in, they do.</summary>
internal sealed class DecisionFunctions(LinkAccess links, DurableClients clients)
{
    [Function("DecisionPage")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "decide/{token?}")] HttpRequest request, string? token) =>
        links.GetAsync(request, token);

    [Function("DecisionForm")]
    public Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "decide/{token?}")] HttpRequest request,
        string? token,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => links.PostAsync(request, token));
}
