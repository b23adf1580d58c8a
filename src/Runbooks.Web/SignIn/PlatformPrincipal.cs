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

    /// <summary>Entra's claims instead of the groups, when somebody is in too many of them.</summary>
    private static readonly string[] s_tooMany = ["hasgroups", "_claim_names"];

    /// <summary>Names to show, the clearest first. None of them proves who it is.</summary>
    private static readonly string[] s_names =
    [
        "preferred_username",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "email",
        "name",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    ];

    public bool IsTrusted => options.CurrentValue.TrustPlatformPrincipal;

    /// <returns>Null when nobody is signed in, the platform gives no tenant and object id, or is not to be believed.</returns>
    public Actor? Find(HttpRequest request)
    {
        var claims = ClaimsOf(request);
        if (FirstOf(claims, s_tenant) is not { } tenant
            || FirstOf(claims, s_object) is not { } id
            || !Guid.TryParse(tenant, out _)
            || !Guid.TryParse(id, out _))
        {
            return null;
        }

        var shown = FirstOf(claims, s_names) is { } name && TypedText.Name(name) is { Length: > 0 } clean ? $"{clean} ({id})" : id;
        var person = new SignedInPerson($"{tenant}/{id}", shown) { Groups = [.. AllOf(claims, s_groups)] };
        if (contacts.Book.FindSignedIn(person) is { } known)
        {
            person = person with { Name = known.Name };
        }

        return new(RoleOf(person, [.. AllOf(claims, s_roles)]), person.Name) { Person = person, Remedy = RemedyFor(claims) };
    }

    private static string RemedyFor(List<Claim> claims)
    {
        const string Remedy = "Whoever keeps the sign-in application gives it: "
            + "as the app role Runbooks.Viewer, Runbooks.Operator or Runbooks.Admin, "
            + "or by a group that the settings name under Auth. Then sign in again.";
        return claims.Any(claim => s_tooMany.Contains(claim.Typ))
            ? $"{Remedy} Your groups were not counted: you are in too many for Entra to list them, so ask for the app role."
            : Remedy;
    }

    /// <summary>By the platform's claims. Without any, a person of the contacts is on call and operates.</summary>
    private Role RoleOf(SignedInPerson person, List<string> appRoles)
    {
        var settings = options.CurrentValue;
        (Role Role, IList<string> Groups)[] roles =
        [
            (Role.Admin, settings.AdminGroups),
            (Role.Operator, settings.OperatorGroups),
            (Role.Viewer, settings.ViewerGroups),
        ];
        foreach (var (role, groups) in roles)
        {
            if (appRoles.Contains($"{AppRole}{role}", StringComparer.Ordinal)
                || groups.Intersect(person.Groups, StringComparer.OrdinalIgnoreCase).Any())
            {
                return role;
            }
        }

        if (contacts.Book.FindSignedIn(person) is not null)
        {
            return Role.Operator;
        }

        return settings.EverybodyElse == OthersMay.Look ? Role.Viewer : Role.None;
    }

    private List<Claim> ClaimsOf(HttpRequest request)
    {
        if (!IsTrusted || request.Headers[Header].ToString() is not { Length: > 0 and <= MaxHeader } encoded)
        {
            return [];
        }

        try
        {
            var read = JsonSerializer.Deserialize<Principal>(Convert.FromBase64String(encoded), JsonSerializerOptions.Web);
            return [.. read?.Claims?.OfType<Claim>() ?? []];
        }
        catch (Exception unreadable) when (unreadable is FormatException or JsonException)
        {
            return [];
        }
    }

    private static string? FirstOf(List<Claim> claims, string[] names) =>
        names.SelectMany(name => claims.Where(claim => claim.Typ == name))
            .Select(claim => claim.Val)
            .FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))
            ?.Trim();

    private static IEnumerable<string> AllOf(List<Claim> claims, string[] names) =>
        claims.Where(claim => names.Contains(claim.Typ)).Select(claim => claim.Val).OfType<string>();

    private sealed record Principal(IReadOnlyList<Claim?>? Claims);

    private sealed record Claim(string? Typ, string? Val);
}
