using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Runbooks.Web.Safety;
using Runbooks.Web.SignIn;

namespace RunbookFunctions.Http;

/// <summary>The page about safety and its forms; part of the console, and as open as that is.</summary>
internal sealed class SafetyPageFunctions(SafetyPageHandler page, ConsoleAccess access, PlatformPrincipal principal)
{
    [Function("SafetyPage")]
    public Task<IResult> ShowAsync([HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "safety")] HttpRequest request) =>
        access.GuardAsync(request, () => page.ShowAsync(request));

    [Function("KillForm")]
    public Task<IResult> KillAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/kill")] HttpRequest request) =>
        access.GuardAsync(request, () => page.KillAsync(request, principal.NameOf(request)));

    [Function("ReleaseForm")]
    public Task<IResult> ReleaseAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/release")] HttpRequest request) =>
        access.GuardAsync(request, () => page.ReleaseAsync(request, principal.NameOf(request)));

    [Function("BreakerForm")]
    public Task<IResult> ResetAsync([HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "safety/breakers/{id}")] HttpRequest request, string id) =>
        access.GuardAsync(request, () => page.ResetBreakerAsync(request, id, principal.NameOf(request)));
}
