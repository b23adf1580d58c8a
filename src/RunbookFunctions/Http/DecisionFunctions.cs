using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Web.Decisions;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>The page behind an approval link. The signed token is its credential, so the host asks for no key.</summary>
internal sealed class DecisionFunctions(DecidePageHandler page, PlatformPrincipal principal, DurableClients clients)
{
    [Function("DecisionPage")]
    public Task<IResult> ShowAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "decide/{token}")] HttpRequest request, string token) =>
        page.GetAsync(request, token);

    [Function("DecisionForm")]
    public Task<IResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "decide/{token}")] HttpRequest request,
        string token,
        [DurableClient] DurableTaskClient client) =>
        clients.UseAsync(client, () => page.PostAsync(request, token, principal.NameOf(request)));
}
