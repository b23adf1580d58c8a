using System.Text.Json;
using TestKit;

namespace Infra.Tests;

public class RolesScriptTests
{
    /// <summary>A deployment takes no role away, so somebody has to see what is left of earlier parameters.</summary>
    [Fact]
    public async Task RoleThatTheParametersNoLongerAskFor_IsPrintedAndNoOther()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var group = plan.All("Microsoft.Resources/resourceGroups").Single().Id;
        var asked = plan.All("Microsoft.Authorization/roleAssignments").Select(role => Assignment(role.Name, role.Scope, "app")).ToList();
        object[] left =
        [
            Assignment("left-1", "/subscriptions/two/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/oai", "app"),
            Assignment("left-2", $"{group.ToUpperInvariant()}/providers/Microsoft.KeyVault/vaults/kv", "leaver"),
        ];
        object[] others = [Assignment("other", "/subscriptions/two", "somebody"), Assignment("owner", group, "owner")];
        using var shell = new Shell($$"""
            case "$*" in
              "account show"*) echo {{Plan.Subscription}} ;;
              "account list"*) printf '%s\n' one two ;;
              "identity list --resource-group rg-runbooks-prod "*) printf '%s\n' app monitor ;;
              "role assignment list --all --subscription one "*) cat $STATE/one ;;
              "role assignment list --all --subscription two "*) cat $STATE/two ;;
              *) exit 1 ;;
            esac
            """);
        shell.Keep("one", JsonSerializer.Serialize(asked.Append(left[1]).Concat(others)));
        shell.Keep("two", JsonSerializer.Serialize(left.Concat(others)));
        shell.Write("bicep", $"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 exec {BicepCompiler.Executable()} \"$@\"");

        var printed = await shell.RunAsync("infra/scripts/look-at-roles.sh", RepositoryRoot.Of("infra", "bicep", Plan.Production));

        printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("  ")[^1]).ShouldBe(["id of left-1", "id of left-2"]);
    }

    private static object Assignment(string name, string scope, string principal) =>
        new { id = $"id of {name}", name, scope, principalId = principal, principalName = principal, roleDefinitionName = "a role" };
}
