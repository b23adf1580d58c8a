using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Runbooks.Model.Alerts;

namespace Runbooks.Web.SignIn;

/// <summary>
/// Lets a caller in with a token of our tenant, for our audience, from Azure Monitor's application (for its own events, Event Grid's), with
/// the role that only this application was given. All four, since any application of the tenant can get a token for our audience. The
/// first question of Event Grid comes with the token too.
/// </summary>
public sealed class SecureWebhook(
    IOptions<SecureWebhookOptions> options,
    IConfigurationManager<OpenIdConnectConfiguration> keys,
    RefusedSenders refused,
    TimeProvider time,
    ILogger<SecureWebhook> logger)
{
    private const string Bearer = "Bearer ";
    private const string ApiScheme = "api://";
    private const int MaxToken = 16 * 1024;

    private readonly JsonWebTokenHandler _tokens = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxToken };

    public async Task<IResult> GuardAsync(HttpRequest request, string source, Func<Task<IResult>> enter)
    {
        if (!options.Value.IsOn)
        {
            return ApiResults.Problem(StatusCodes.Status404NotFound, "Alerts with a token are not switched on here.");
        }

        try
        {
            if (await RefusalAsync(request, source) is not { } refusal)
            {
                return await enter();
            }

            Log.CallerRefused(logger, refusal);
            await refused.RecordAsync(request, known: null, refusal);
            request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
            return ApiResults.Problem(StatusCodes.Status401Unauthorized, "The token does not let you in.");
        }
        catch (InvalidOperationException unreachable)
        {
            // The tenant's keys cannot be read at the moment. That is not the sender's fault, and worth another try.
            Log.Unavailable(logger, unreachable.Message, fault: null);
            return ApiResults.TryAgain(request);
        }
    }

    /// <returns>Null when the caller may come in; otherwise the reason for the log, which the caller does not get.</returns>
    private async Task<string?> RefusalAsync(HttpRequest request, string source)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return "it shows no token";
        }

        var token = authorization[Bearer.Length..].Trim();
        var result = await ValidateAsync(token);
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            // Tenants change their keys. The new one may have been published since the last look.
            keys.RequestRefresh();
            result = await ValidateAsync(token);
        }

        if (!result.IsValid)
        {
            return result.Exception?.GetType().Name ?? "the token is not valid";
        }

        var caller = ClaimOf(result, "azp") ?? ClaimOf(result, "appid");
        if (options.Value.RoleOf(caller, source) is not { } role)
        {
            return "it is another application";
        }

        var claims = ((JsonWebToken)result.SecurityToken).Claims;
        return claims.Any(claim => claim.Type == "roles" && claim.Value == role) ? null : "it lacks the role";
    }

    private async Task<TokenValidationResult> ValidateAsync(string token)
    {
        var (tenant, authority) = (options.Value.TenantId!, options.Value.Authority.ToString().TrimEnd('/'));
        var configuration = await keys.GetConfigurationAsync(CancellationToken.None);
        return await _tokens.ValidateTokenAsync(token, new TokenValidationParameters
        {
            // The second form is for applications that ask for tokens of version 1.
            ValidIssuers = [$"{authority}/{tenant}/v2.0", $"https://sts.windows.net/{tenant}/"],
            ValidAudiences = Audiences(options.Value.Audience!),
            IssuerSigningKeys = configuration.SigningKeys,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            LifetimeValidator = IsAlive,
        });
    }

    /// <summary>Tokens of version 1 name the application by its identifier URI, those of version 2 by the id in that URI.</summary>
    private static string[] Audiences(string uri) =>
        uri.StartsWith(ApiScheme, StringComparison.Ordinal) ? [uri, uri[ApiScheme.Length..]] : [uri];

    private bool IsAlive(DateTime? from, DateTime? until, SecurityToken token, TokenValidationParameters parameters)
    {
        var (now, skew) = (time.GetUtcNow().UtcDateTime, TimeSpan.FromMinutes(5));
        return until is { } end && now < end + skew && (from is not { } begin || now > begin - skew);
    }

    private static string? ClaimOf(TokenValidationResult result, string name) =>
        result.Claims.TryGetValue(name, out var value) ? Convert.ToString(value, CultureInfo.InvariantCulture) : null;
}

public sealed class SecureWebhookOptions : IValidatableObject
{
    public const string SectionName = "Intake";

    /// <summary>Azure Monitor's own application, "AzNS AAD Webhook", the same in every tenant.</summary>
    public const string AzureMonitor = "461e8683-5575-4561-ac7f-899cc907d62a";

    /// <summary>Event Grid's own application (https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery).</summary>
    public const string EventGrid = "4962773b-9cdb-44cf-a8bf-237846a00ab7";

    /// <summary>The tenant that must have issued the token. Without it no token is accepted.</summary>
    public string? TenantId { get; set; }

    /// <summary>The audience that the token must have: the identifier URI of the webhook's application.</summary>
    public string? Audience { get; set; }

    /// <summary>The application that must be calling.</summary>
    [Required]
    public string Caller { get; set; } = AzureMonitor;

    /// <summary>The application role that the caller must have.</summary>
    [Required]
    public string Role { get; set; } = "ActionGroupsSecureWebhook";

    /// <summary>The application that may also call for events of Event Grid: "Microsoft.EventGrid"; sovereign clouds have another.</summary>
    [Required]
    public string EventGridCaller { get; set; } = EventGrid;

    /// <summary>The application role that Event Grid must have.</summary>
    [Required]
    public string EventGridRole { get; set; } = "AzureEventGridSecureWebhookSubscriber";

    /// <summary>The sign-in address of tenants; another one in sovereign clouds.</summary>
    [Required]
    public Uri Authority { get; set; } = new("https://login.microsoftonline.com");

    public bool IsOn => TenantId is { Length: > 0 } && Audience is { Length: > 0 };

    /// <returns>The role that this caller must have to post here; null when it may not.</returns>
    internal string? RoleOf(string? caller, string source)
    {
        if (caller == Caller)
        {
            return Role;
        }

        var isEventGrid = caller == EventGridCaller && source.Equals(AlertSource.EventGrid, StringComparison.OrdinalIgnoreCase);
        return isEventGrid ? EventGridRole : null;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsOn && (TenantId is { Length: > 0 } || Audience is { Length: > 0 }))
        {
            yield return new($"{SectionName} needs both TenantId and Audience, or neither.", [nameof(TenantId), nameof(Audience)]);
        }

        if (TenantId is { Length: > 0 } && !Guid.TryParse(TenantId, out _))
        {
            yield return new($"{SectionName}:TenantId is not a tenant's id.", [nameof(TenantId)]);
        }
    }
}
