using System.Text.Json;

namespace Runbooks.Testing;

/// <summary>Values as test files write them.</summary>
internal static class Words
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
