using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Notifications;
using Runbooks.Web.Decisions;

namespace Runbooks.Web.SignIn;

/// <summary>
/// The door of both hosts: who sent a request, whether their role is enough, and the answer when it is not. The caller is put on the
/// request for the handlers.
/// </summary>
public sealed class AccessGuard(
    PlatformPrincipal principal, ApiKeyAuthentication keys, RefusedRequests refused, RefusedSenders senders, ILogger<AccessGuard> logger)
{
    /// <param name="allowQuery">Whether <c>?code=</c> counts: only where a sender can set no header.</param>
    public async Task<IResult> ApiAsync(HttpRequest request, Role needed, Func<Task<IResult>> enter, bool allowQuery = false)
    {
        var known = keys.OfApi(request, allowQuery);
        if (needed == Role.Sender && known?.May(needed) != true)
        {
            await senders.RecordAsync(request, known);
        }

        if (known is not { } actor)
        {
            request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
            return ApiResults.Problem(
                StatusCodes.Status401Unauthorized, "A key is needed: send it as X-Api-Key, or as Authorization: Bearer.");
        }

        if (!actor.May(needed))
        {
            await RecordAsync(actor, needed, request);
            return ApiResults.Problem(StatusCodes.Status403Forbidden, MessageOf(actor, needed));
        }

        actor.EnterWith(request);
        return await enter();
    }

    /// <summary>The console, for people whom the platform has signed in, or who give a key as the password that the browser asks for.</summary>
    public async Task<IResult> PageAsync(HttpRequest request, Role needed, Func<Task<IResult>> page)
    {
        if ((principal.Find(request) ?? keys.OfPage(request)) is { } actor)
        {
            if (!actor.May(needed))
            {
                await RecordAsync(actor, needed, request);
                return MessageResult.Of(StatusCodes.Status403Forbidden, "Not allowed", MessageOf(actor, needed), home: true);
            }

            actor.EnterWith(request);
            return await page();
        }

        if (principal.IsTrusted)
        {
            // A session of the platform ends after some hours, perhaps before a form is sent. Then there is no key to ask for.
            return request.IsRead()
                ? SignInPage.For(request)
                : MessageResult.Of(
                    StatusCodes.Status401Unauthorized,
                    "Not done",
                    "You are not signed in, or no longer: nothing was recorded. "
                    + "Open the console in another tab to sign in, then come back to the form and send it again.",
                    home: true);
        }

        PageHeaders.Write(request.HttpContext.Response);
        request.HttpContext.Response.Headers.WWWAuthenticate =
            "Basic realm=\"Runbooks: any name, the API key as password\", charset=\"UTF-8\"";
        return Results.Text(
            "The console needs a key: give it as the password, with any name.", statusCode: StatusCodes.Status401Unauthorized);
    }

    private static string MessageOf(Actor actor, Role needed)
    {
        var has = actor.Role == Role.None ? "has none" : $"has the role {RoleText.Of(actor.Role)}";
        return $"This needs the role {RoleText.Of(needed)}, and {actor.Who} {has}. {actor.Remedy}";
    }

    private async Task RecordAsync(Actor actor, Role needed, HttpRequest request)
    {
        var what = $"{request.Method} {request.Path}";
        Log.RoleRefused(logger, actor.Who, RoleText.Of(actor.Role), what, RoleText.Of(needed));
        await refused.RecordAsync(
            actor.Who, what, $"{RoleText.Of(actor.Role)}, needs {RoleText.Of(needed)}", request.HttpContext.RequestAborted);
    }
}

public static class AccessFilters
{
    internal static TBuilder Needs<TBuilder>(this TBuilder endpoints, Role role, bool allowQuery = false)
        where TBuilder : IEndpointConventionBuilder =>
        Guarded(
            endpoints, new NeededRole(role, IsPage: false), (guard, request, enter) => guard.ApiAsync(request, role, enter, allowQuery));

    public static TBuilder PageNeeds<TBuilder>(this TBuilder endpoints, Role role)
        where TBuilder : IEndpointConventionBuilder =>
        Guarded(endpoints, new NeededRole(role, IsPage: true), (guard, request, enter) => guard.PageAsync(request, role, enter));

    private static TBuilder Guarded<TBuilder>(
        TBuilder endpoints, NeededRole needed, Func<AccessGuard, HttpRequest, Func<Task<IResult>>, Task<IResult>> pass)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(needed).AddEndpointFilter(async (context, next) =>
            await pass(
                context.HttpContext.RequestServices.GetRequiredService<AccessGuard>(),
                context.HttpContext.Request,
                async () => (IResult)(await next(context))!));
}

/// <summary>
/// Approval links of a host behind a platform. Where people sign in, a link alone decides nothing: it has to be sent to the person who is
/// signed in. Where nobody signs in, the link speaks for its recipient.
/// </summary>
public sealed class LinkAccess(PlatformPrincipal principal, DecidePageHandler page)
{
    /// <param name="inPath">The token of an older link, which has it in the path instead of the query.</param>
    public Task<IResult> GetAsync(HttpRequest request, string? inPath) =>
        IsUnknown(request) ? Task.FromResult(SignInPage.For(request)) : page.GetAsync(request, TokenOf(request, inPath));

    /// <inheritdoc cref="GetAsync"/>
    public Task<IResult> PostAsync(HttpRequest request, string? inPath) =>
        IsUnknown(request) ? Task.FromResult(page.NotSignedIn()) : page.PostAsync(request, TokenOf(request, inPath));

    private static string TokenOf(HttpRequest request, string? inPath) => inPath ?? request.Query["token"].ToString();

    /// <summary>Whether the caller has to sign in. One who has is put on the request.</summary>
    private bool IsUnknown(HttpRequest request)
    {
        var actor = principal.Find(request);
        actor?.EnterWith(request);
        return principal.IsTrusted && actor is null;
    }
}

internal static class SignInPage
{
    public static IResult For(HttpRequest request)
    {
        PageHeaders.Write(request.HttpContext.Response);
        var back = Uri.EscapeDataString($"{request.Path}{request.QueryString}");
        return new SeeOther($"/.auth/login/aad?post_login_redirect_uri={back}", StatusCodes.Status302Found);
    }
}

public sealed class SignInOptions : IValidatableObject
{
    public const string SectionName = "Auth";

    /// <summary>
    /// Believe the headers in which App Service names the person it has signed in. Only where it is in front: it removes such headers from
    /// requests, and nothing else does.
    /// </summary>
    public bool TrustPlatformPrincipal { get; set; }

    /// <summary>Object ids of Entra groups whose members are admins, as are people with the app role <c>Runbooks.Admin</c>.</summary>
    public IList<string> AdminGroups { get; } = [];

    /// <summary>Object ids of Entra groups whose members are operators, as are people with the app role <c>Runbooks.Operator</c>.</summary>
    public IList<string> OperatorGroups { get; } = [];

    /// <summary>Object ids of Entra groups whose members are viewers, as are people with the app role <c>Runbooks.Viewer</c>.</summary>
    public IList<string> ViewerGroups { get; } = [];

    /// <summary>
    /// For people who sign in, have no role and are not in the contacts: <c>Look</c>, or <c>Nothing</c>. People of the contacts are
    /// operators.
    /// </summary>
    public OthersMay EverybodyElse { get; set; }

    /// <summary>Entra sends the ids of groups, so the name of a group would give nobody the role.</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        from groups in new (string Name, IList<string> Ids)[]
        {
            (nameof(AdminGroups), AdminGroups),
            (nameof(OperatorGroups), OperatorGroups),
            (nameof(ViewerGroups), ViewerGroups),
        }
        from id in groups.Ids
        where id.Length > 0 && !Guid.TryParseExact(id, "D", out _)
        select new ValidationResult(
            $"{SectionName}:{groups.Name} has '{Clip.To(id, 80)}', which is not the object id of a group. "
            + "Give the id that Entra shows for it, such as 00000000-0000-0000-0000-000000000000.");
}

public enum OthersMay
{
    Look,

    Nothing,
}
