namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>Which versions of its API each type of resource has, as of August 2026: another one is refused, as Azure Resource Manager does.</summary>
/// <seealso href="https://github.com/Azure/bicep-types-az"/>
internal static class ArmVersions
{
    private static readonly Dictionary<string, (string Type, string[] Versions)> s_known = Read().ToDictionary(one => one.Type, StringComparer.OrdinalIgnoreCase);

    /// <returns>Null: the type has that version.</returns>
    public static IResult? Refuse(ArmRequest request)
    {
        // A type that is not listed has the versions of the one above it.
        var levels = request.Below.ToList();
        var type = Enumerable.Range(0, levels.Count + 1).Select(left => string.Join('/', levels.SkipLast(left).Prepend(request.Type))).FirstOrDefault(s_known.ContainsKey);

        // What another provider has of every resource has versions of its own.
        if (type is null || request.Rest.Contains("providers"))
        {
            return null;
        }

        var known = s_known[type];
        if (known.Versions.Contains(request.Version))
        {
            return null;
        }

        var message = $"No registered resource provider found for location 'westeurope' and API version '{request.Version}' for type '{known.Type.Split('/', 2)[1]}'. "
            + $"The supported api-versions are '{string.Join(", ", known.Versions)}'. The supported locations are 'westeurope'.";
        return Results.Json(new { error = new { code = "NoRegisteredProviderFound", message } }, statusCode: 400);
    }

    private static IEnumerable<(string Type, string[] Versions)> Read()
    {
        using var text = new StreamReader(typeof(ArmVersions).Assembly.GetManifestResourceStream("api-versions.txt")!);
        while (text.ReadLine() is { } line)
        {
            yield return line.Split(' ') is [var type, .. var versions] ? (type, versions) : throw new InvalidDataException(line);
        }
    }
}
