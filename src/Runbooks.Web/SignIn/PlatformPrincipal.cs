using Runbooks.Notifications;

namespace Runbooks.Web.SignIn;

/// <summary>The person that App Service Authentication has signed in (its header <c>X-MS-CLIENT-PRINCIPAL</c>), and their role.</summary>
public sealed class PlatformPrincipal(IOptionsMonitor<SignInOptions> options, CurrentContacts contacts)
{
    private const string Header = "X-MS-CLIENT-PRINCIPAL";
    private const int MaxHeader = 64 * 1024;

    /// <summary>The app roles of the sign-in application, as infra/entra/setup.sh makes them.</summary>
    private const string AppRole = "Runbooks.";

    /// <summary>The platform writes some claims of Entra under longer names.</summary>
    private static readonly string[] s_object = ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"];
    private static readonly string[] s_tenant = ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"];
    private static readonly string[] s_roles = ["roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"];
    private static readonly string[] s_groups = ["groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"];

    /// <summary>What Entra puts in place of the groups when somebody is in too many of them.</summary>
    private static readonly string[] s_tooMany = ["hasgroups", "_claim_names"];

    /// <summary>What a person is shown as, the most telling first. None of them proves who it is.</summary>
    private static readonly string[] s_names =
    [
        "preferred_username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "email", "name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    ];

    public bool IsTrusted => options.CurrentValue.TrustPlatformPrincipal;

    /// <returns>Null when nobody is signed in, or the platform does not say who by tenant and object id, or is not to be believed.</returns>
    public Actor? Find(HttpRequest request)
    {
        var claims = ClaimsOf(request);
        if (FirstOf(claims, s_tenant) is not { } tenant || FirstOf(claims, s_object) is not { } id || !Guid.TryParse(tenant, out _) || !Guid.TryParse(id, out _))
        {
            return null;
        }

        var shown = FirstOf(claims, s_names) is { } name && TypedText.Name(name) is { Length: > 0 } clean ? $"{clean} ({id})" : id;
        var person = new SignedInPerson($"{tenant}/{id}", shown) { Groups = [.. AllOf(claims, s_groups)] };
        if (contacts.Book.FindSignedIn(person) is { } known)
        {
            person = person with { Name = known.Name };
        }

        return new(RoleOf(person, [.. AllOf(claims, s_roles)]), person.Name)
        {
            Person = person,
            Remedy = "Whoever keeps the sign-in application gives it: as the app role Runbooks.Viewer, Runbooks.Operator or Runbooks.Admin, or by a group that the settings name under Auth. Then sign in again."
                + (claims.Any(claim => s_tooMany.Contains(claim.Typ)) ? " Your groups were not counted: you are in too many for Entra to list them, so ask for the app role." : ""),
        };
    }

    /// <summary>What the platform's claims say. Where they say nothing, whoever the contacts know is on call and operates.</summary>
    private Role RoleOf(SignedInPerson person, List<string> appRoles)
    {
        var settings = options.CurrentValue;
        foreach (var (role, groups) in new[] { (Role.Admin, settings.AdminGroups), (Role.Operator, settings.OperatorGroups), (Role.Viewer, settings.ViewerGroups) })
        {
            if (appRoles.Contains($"{AppRole}{role}", StringComparer.Ordinal) || groups.Intersect(person.Groups, StringComparer.OrdinalIgnoreCase).Any())
            {
                return role;
            }
        }

        return contacts.Book.FindSignedIn(person) is not null ? Role.Operator : settings.EverybodyElse == OthersMay.Look ? Role.Viewer : Role.None;
    }

    private List<Claim> ClaimsOf(HttpRequest request)
    {
        if (!IsTrusted || request.Headers[Header].ToString() is not { Length: > 0 and <= MaxHeader } encoded)
        {
            return [];
        }

        try
        {
            return [.. JsonSerializer.Deserialize<Principal>(Convert.FromBase64String(encoded), JsonSerializerOptions.Web)?.Claims?.OfType<Claim>() ?? []];
        }
        catch (Exception unreadable) when (unreadable is FormatException or JsonException)
        {
            return [];
        }
    }

    private static string? FirstOf(List<Claim> claims, string[] names) =>
        names.SelectMany(name => claims.Where(claim => claim.Typ == name)).Select(claim => claim.Val).FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))?.Trim();

    private static IEnumerable<string> AllOf(List<Claim> claims, string[] names) =>
        claims.Where(claim => names.Contains(claim.Typ)).Select(claim => claim.Val).OfType<string>();

    private sealed record Principal(IReadOnlyList<Claim?>? Claims);

    private sealed record Claim(string? Typ, string? Val);
}

/// <summary>Sign-in that a platform does in front of the host, and who then may what.</summary>
public sealed class SignInOptions
{
    public const string SectionName = "Auth";

    /// <summary>
    /// Believe the headers in which App Service names the person it has signed in. Only where it stands in front: it removes
    /// such headers from what comes in, and nothing else does.
    /// </summary>
    public bool TrustPlatformPrincipal { get; set; }

    /// <summary>Object ids of Entra groups whose members are admins; so is who holds the app role <c>Runbooks.Admin</c>.</summary>
    public IList<string> AdminGroups { get; } = [];

    /// <summary>Object ids of Entra groups whose members are operators, as who holds the app role <c>Runbooks.Operator</c>.</summary>
    public IList<string> OperatorGroups { get; } = [];

    /// <summary>Object ids of Entra groups whose members are viewers, as who holds the app role <c>Runbooks.Viewer</c>.</summary>
    public IList<string> ViewerGroups { get; } = [];

    /// <summary>What somebody may who signs in, has no role and is not in the contacts: <c>Look</c>, or <c>Nothing</c>. People of the contacts are operators.</summary>
    public OthersMay EverybodyElse { get; set; }
}

/// <summary>What somebody of the tenant without any role may do.</summary>
public enum OthersMay
{
    /// <summary>Look at the console, as viewers do.</summary>
    Look,

    Nothing,
}
